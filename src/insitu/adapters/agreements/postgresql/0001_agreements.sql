-- The same as SQLite's tables of this number, for PostgreSQL. Times are milliseconds since 1970, amounts
-- text, documents JSON. Values are compared by bytes, whatever the locale of the database.

CREATE TABLE cursors (
    number bigint PRIMARY KEY,
    hash text COLLATE "C" NOT NULL
);

CREATE TABLE agreements (
    agreement_id text COLLATE "C" PRIMARY KEY,
    consumer text COLLATE "C" NOT NULL,
    free bigint NOT NULL,
    timeout bigint NOT NULL,
    terms text NOT NULL,
    standing text COLLATE "C" NOT NULL,
    reason text,
    versions text NOT NULL DEFAULT '{}',
    max_executions bigint NOT NULL DEFAULT 0,
    start bigint NOT NULL DEFAULT 0,
    attention bigint NOT NULL DEFAULT 1,
    attended bigint NOT NULL DEFAULT 0,
    again_at bigint,
    touched_block bigint NOT NULL DEFAULT 0,
    lost_since bigint,
    granted_at bigint
);
CREATE INDEX agreements_attention ON agreements (agreement_id) WHERE attention > attended;
CREATE INDEX agreements_again ON agreements (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX agreements_free_grants ON agreements (consumer, granted_at) WHERE free = 1;
CREATE INDEX agreements_touched ON agreements (touched_block);

CREATE TABLE executions (
    execution_id text COLLATE "C" PRIMARY KEY,
    agreement_id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    consumer text COLLATE "C" NOT NULL,
    plan text NOT NULL,
    dossier text NOT NULL,
    created_at bigint NOT NULL,
    acknowledged bigint NOT NULL DEFAULT 0,
    frozen text,
    charge text,
    settlement text,
    registration text COLLATE "C",
    settlement_transaction text COLLATE "C",
    expires_at bigint,
    removed bigint NOT NULL DEFAULT 0,
    UNIQUE (agreement_id, number)
);
CREATE UNIQUE INDEX executions_one_live ON executions (agreement_id) WHERE frozen IS NULL;
CREATE INDEX executions_consumer ON executions (consumer, created_at);
CREATE INDEX executions_undecided ON executions (agreement_id) WHERE frozen IS NOT NULL AND charge IS NULL;
CREATE INDEX executions_expiry ON executions (expires_at) WHERE removed = 0;

CREATE TABLE execution_inputs (
    did text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (did, execution_id)
);

CREATE TABLE result_blobs (
    sha256 text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (sha256, execution_id)
);
CREATE INDEX result_blobs_execution ON result_blobs (execution_id);

CREATE TABLE idempotency (
    caller text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL REFERENCES executions (execution_id),
    PRIMARY KEY (caller, key)
);

CREATE TABLE transitions (
    execution_id text COLLATE "C" NOT NULL REFERENCES executions (execution_id),
    sequence bigint NOT NULL,
    transition text NOT NULL,
    PRIMARY KEY (execution_id, sequence)
);

CREATE TABLE events (
    execution_id text COLLATE "C" NOT NULL REFERENCES executions (execution_id),
    sequence bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    data text NOT NULL,
    once text COLLATE "C",
    PRIMARY KEY (execution_id, sequence)
);
CREATE UNIQUE INDEX events_once ON events (execution_id, once) WHERE once IS NOT NULL;

CREATE TABLE items (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text COLLATE "C" NOT NULL UNIQUE,
    kind text COLLATE "C" NOT NULL,
    agreement_id text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C",
    payload text NOT NULL,
    after text COLLATE "C",
    batch bigint NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'given up')),
    not_before bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    reason text,
    transaction_hash text COLLATE "C"
);
CREATE INDEX items_due ON items (not_before) WHERE state = 'waiting' AND transaction_hash IS NULL;
CREATE INDEX items_after ON items (after) WHERE after IS NOT NULL;
CREATE INDEX items_transaction ON items (transaction_hash) WHERE transaction_hash IS NOT NULL;

CREATE TABLE transactions (
    hash text COLLATE "C" PRIMARY KEY,
    raw bytea NOT NULL,
    nonce bigint NOT NULL,
    signed_at bigint NOT NULL,
    block_number bigint,
    block_hash text COLLATE "C",
    confirmed bigint NOT NULL DEFAULT 0
);
CREATE INDEX transactions_in_flight ON transactions (nonce) WHERE confirmed = 0;
CREATE INDEX transactions_block ON transactions (block_number) WHERE block_number IS NOT NULL;

CREATE TABLE assertions (
    issuer text COLLATE "C" NOT NULL,
    jti text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX assertions_expiry ON assertions (expires_at);

CREATE TABLE uploads (
    upload_id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX uploads_blob ON uploads (sha256);
