-- Whose part of the room an upload takes, when it was last found to be needed, and which DIDs' lists name it.

ALTER TABLE uploads ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN looked INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET holder = lower(owner);
CREATE INDEX uploads_looked ON uploads (looked, at);

CREATE TABLE upload_names (
    upload_id TEXT NOT NULL,
    did TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (upload_id, did)
) STRICT, WITHOUT ROWID;
-- Lists that were sealed before did not say for which DID, so these are kept.
INSERT INTO upload_names SELECT upload_id, '', at FROM uploads;
