-- Times are milliseconds since 1970, except those of blocks, which are seconds. Checksums and keys are hexadecimal.

-- The version of each DID that the catalogue shows: the chain's current version, or else the newest pending one.
CREATE TABLE asset (
    id INTEGER PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'listed', 'retired')),
    checksum TEXT NOT NULL,
    owner TEXT,
    version INTEGER NOT NULL,
    retired_version INTEGER,
    registered_at INTEGER,
    updated_at INTEGER NOT NULL,
    type TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL DEFAULT '',
    license TEXT NOT NULL DEFAULT '',
    -- 78 digits with leading zeros, so that text compares like the number, which is too large for SQLite's integers.
    price TEXT NOT NULL DEFAULT ''
);
CREATE INDEX asset_by_date ON asset (state, registered_at);
CREATE INDEX asset_by_price ON asset (state, price);
CREATE INDEX asset_by_owner ON asset (owner);

CREATE TABLE version (
    asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    checksum TEXT NOT NULL,
    creator TEXT NOT NULL,
    document TEXT NOT NULL,
    summary TEXT NOT NULL,
    on_chain INTEGER NOT NULL,
    pending_since INTEGER NOT NULL,
    PRIMARY KEY (asset, checksum)
);
CREATE INDEX version_pending ON version (pending_since) WHERE on_chain = 0;

-- Services, tags and categories of listed assets, in lower case.
CREATE TABLE facet (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    asset INTEGER NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, asset)
) WITHOUT ROWID;
CREATE INDEX facet_by_asset ON facet (asset);

-- The creator's Idempotency-Keys, each with the version that was published under it.
CREATE TABLE publication (
    creator TEXT NOT NULL,
    key TEXT NOT NULL,
    asset INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (creator, key),
    FOREIGN KEY (asset, checksum) REFERENCES version (asset, checksum) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX publication_by_version ON publication (asset, checksum);

-- What the chain says about DIDs, including those whose document is not here yet. A transfer has no checksum.
CREATE TABLE ledger (
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,
    did TEXT NOT NULL,
    owner TEXT NOT NULL,
    checksum TEXT,
    version INTEGER,
    time INTEGER NOT NULL,
    PRIMARY KEY (block, position)
) WITHOUT ROWID;
CREATE INDEX ledger_by_did ON ledger (did, block, position);

CREATE TABLE cursor (
    number INTEGER PRIMARY KEY,
    hash TEXT NOT NULL
);

-- rowid is asset.id, for listed assets only.
CREATE VIRTUAL TABLE search USING fts5 (
    name, description, tags, author, did,
    tokenize = "unicode61 remove_diacritics 2",
    prefix = '2 3'
);
