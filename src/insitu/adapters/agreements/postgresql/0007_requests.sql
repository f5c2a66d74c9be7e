-- Signed requests to the registry that this gateway sends for owners, and which documents they update.

ALTER TABLE relays ADD COLUMN request integer NOT NULL DEFAULT 0;
CREATE TABLE relayed_updates (
    did text COLLATE "C" NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX relayed_updates_did ON relayed_updates (did, at);
