-- The holder whose share an upload uses, and the DIDs whose lists name it, with the time when each last did.

ALTER TABLE uploads ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
UPDATE uploads SET holder = lower(owner);
CREATE INDEX uploads_at ON uploads (at);

CREATE TABLE upload_names (
    upload_id TEXT NOT NULL,
    did TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (upload_id, did)
) STRICT, WITHOUT ROWID;
-- Lists sealed earlier did not say for which DID, so their uploads are kept.
INSERT INTO upload_names SELECT upload_id, '', at FROM uploads;
