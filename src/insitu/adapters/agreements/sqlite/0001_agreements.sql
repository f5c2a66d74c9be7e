-- The gateway's store. Times are milliseconds since 1970, amounts text, documents JSON.

CREATE TABLE cursors (
    number INTEGER PRIMARY KEY,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE agreements (
    agreement_id TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    free INTEGER NOT NULL,
    timeout INTEGER NOT NULL,
    terms TEXT NOT NULL,
    standing TEXT NOT NULL,
    reason TEXT,
    versions TEXT NOT NULL DEFAULT '{}',
    max_executions INTEGER NOT NULL DEFAULT 0,
    start INTEGER NOT NULL DEFAULT 0,
    attention INTEGER NOT NULL DEFAULT 1,
    attended INTEGER NOT NULL DEFAULT 0,
    again_at INTEGER,
    touched_block INTEGER NOT NULL DEFAULT 0,
    lost_since INTEGER,
    granted_at INTEGER
) STRICT;
CREATE INDEX agreements_attention ON agreements (agreement_id) WHERE attention > attended;
CREATE INDEX agreements_again ON agreements (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX agreements_free_grants ON agreements (consumer, granted_at) WHERE free = 1;
CREATE INDEX agreements_touched ON agreements (touched_block);

CREATE TABLE executions (
    execution_id TEXT PRIMARY KEY,
    agreement_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    plan TEXT NOT NULL,
    dossier TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    frozen TEXT,
    charge TEXT,
    settlement TEXT,
    registration TEXT,
    settlement_transaction TEXT,
    expires_at INTEGER,
    removed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (agreement_id, number)
) STRICT;
CREATE UNIQUE INDEX executions_one_live ON executions (agreement_id) WHERE frozen IS NULL;
CREATE INDEX executions_consumer ON executions (consumer, created_at);
CREATE INDEX executions_undecided ON executions (agreement_id) WHERE frozen IS NOT NULL AND charge IS NULL;
CREATE INDEX executions_expiry ON executions (expires_at) WHERE removed = 0;

CREATE TABLE execution_inputs (
    did TEXT NOT NULL,
    execution_id TEXT NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (did, execution_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE result_blobs (
    sha256 TEXT NOT NULL,
    execution_id TEXT NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (sha256, execution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX result_blobs_execution ON result_blobs (execution_id);

CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    execution_id TEXT NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE transitions (
    execution_id TEXT NOT NULL REFERENCES executions (execution_id),
    sequence INTEGER NOT NULL,
    transition TEXT NOT NULL,
    PRIMARY KEY (execution_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    execution_id TEXT NOT NULL REFERENCES executions (execution_id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    once TEXT,
    PRIMARY KEY (execution_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_once ON events (execution_id, once) WHERE once IS NOT NULL;

CREATE TABLE items (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    agreement_id TEXT NOT NULL,
    execution_id TEXT,
    payload TEXT NOT NULL,
    after TEXT,
    batch INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'given up')),
    not_before INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    transaction_hash TEXT
) STRICT;
CREATE INDEX items_due ON items (not_before) WHERE state = 'waiting' AND transaction_hash IS NULL;
CREATE INDEX items_after ON items (after) WHERE after IS NOT NULL;
CREATE INDEX items_transaction ON items (transaction_hash) WHERE transaction_hash IS NOT NULL;

CREATE TABLE transactions (
    hash TEXT PRIMARY KEY,
    raw BLOB NOT NULL,
    nonce INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    block_number INTEGER,
    block_hash TEXT,
    confirmed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX transactions_in_flight ON transactions (nonce) WHERE confirmed = 0;
CREATE INDEX transactions_block ON transactions (block_number) WHERE block_number IS NOT NULL;

CREATE TABLE assertions (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX assertions_expiry ON assertions (expires_at);

CREATE TABLE uploads (
    upload_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_blob ON uploads (sha256);
