-- The holder whose share an upload uses, and the DIDs whose lists name it, with the time when each last did.

ALTER TABLE uploads ADD COLUMN holder text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN stranger integer NOT NULL DEFAULT 0;
UPDATE uploads SET holder = lower(owner);
CREATE INDEX uploads_at ON uploads (at);

CREATE TABLE upload_names (
    upload_id text COLLATE "C" NOT NULL,
    did text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (upload_id, did)
);
-- Lists sealed earlier did not say for which DID, so their uploads are kept.
INSERT INTO upload_names SELECT upload_id, '', at FROM uploads;
