-- Why a curator features it; and who decided about hiding and featuring, and when (milliseconds since 1970).
ALTER TABLE asset ADD COLUMN featured text;
ALTER TABLE asset ADD COLUMN featured_deadline bigint NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN featured_by text;
ALTER TABLE asset ADD COLUMN featured_at bigint;
ALTER TABLE asset ADD COLUMN hidden_by text;
ALTER TABLE asset ADD COLUMN hidden_at bigint;
-- Lists few among all assets.
CREATE INDEX asset_featured ON asset (featured_at) WHERE featured IS NOT NULL;
CREATE INDEX asset_hidden ON asset (hidden_at) WHERE hidden IS NOT NULL;
