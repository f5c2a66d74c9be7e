-- Why a curator features it; and who decided about hiding and featuring, and when (milliseconds since 1970).
ALTER TABLE asset ADD COLUMN featured TEXT;
ALTER TABLE asset ADD COLUMN featured_deadline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN featured_by TEXT;
ALTER TABLE asset ADD COLUMN featured_at INTEGER;
ALTER TABLE asset ADD COLUMN hidden_by TEXT;
ALTER TABLE asset ADD COLUMN hidden_at INTEGER;
-- Lists few among all assets.
CREATE INDEX asset_featured ON asset (featured_at) WHERE featured IS NOT NULL;
CREATE INDEX asset_hidden ON asset (hidden_at) WHERE hidden IS NOT NULL;
