-- Whose part of the room an upload takes, when it was last found to be needed, and which DIDs' lists name it.

ALTER TABLE uploads ADD COLUMN holder text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE uploads ADD COLUMN stranger integer NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN looked bigint NOT NULL DEFAULT 0;
UPDATE uploads SET holder = lower(owner);
CREATE INDEX uploads_looked ON uploads (looked, at);

CREATE TABLE upload_names (
    upload_id text COLLATE "C" NOT NULL,
    did text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (upload_id, did)
);
-- Lists that were sealed before did not say for which DID, so these are kept.
INSERT INTO upload_names SELECT upload_id, '', at FROM uploads;
