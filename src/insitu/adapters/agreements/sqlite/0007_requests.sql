-- Signed requests to the registry that this gateway sends for owners, and which documents they update.

ALTER TABLE relays ADD COLUMN request INTEGER NOT NULL DEFAULT 0;
CREATE TABLE relayed_updates (
    did TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX relayed_updates_did ON relayed_updates (did, at);
