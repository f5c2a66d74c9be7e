-- The pool and the holder whose share a version uses while it waits for the chain, and its size in bytes.
ALTER TABLE version ADD COLUMN pool text COLLATE "C" NOT NULL DEFAULT 'strangers';
ALTER TABLE version ADD COLUMN holder text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE version ADD COLUMN size bigint NOT NULL DEFAULT 0;
UPDATE version SET size = length(document) WHERE on_chain = 0;
CREATE INDEX version_by_pool ON version (pool, holder, size, pending_since) WHERE on_chain = 0;
CREATE INDEX version_by_creator ON version (creator) WHERE on_chain = 1;
