-- The same as SQLite's catalogue (0001 there), for PostgreSQL. Times are milliseconds since 1970, except those
-- of blocks, which are seconds. Text is compared by bytes, whatever the locale of the database.

CREATE TABLE asset (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    did text COLLATE "C" NOT NULL UNIQUE,
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'listed', 'retired')),
    checksum text COLLATE "C" NOT NULL,
    owner text COLLATE "C",
    version bigint NOT NULL,
    retired_version bigint,
    registered_at bigint,
    updated_at bigint NOT NULL,
    type text COLLATE "C" NOT NULL DEFAULT '',
    author text COLLATE "C" NOT NULL DEFAULT '',
    license text COLLATE "C" NOT NULL DEFAULT '',
    -- 78 digits with leading zeros, as over SQLite.
    price text COLLATE "C" NOT NULL DEFAULT '',
    -- Of listed assets only. A facet is "service:…", "tag:…" or "category:…".
    words tsvector,
    facets text[]
);
CREATE INDEX asset_by_date ON asset (registered_at, did) WHERE state = 'listed';
CREATE INDEX asset_by_price ON asset (price, did) WHERE state = 'listed';
CREATE INDEX asset_by_owner ON asset (owner) WHERE state = 'listed';
CREATE INDEX asset_by_author ON asset (author) WHERE state = 'listed';
-- Without fastupdate: its list of pending entries would have to be read by every search.
CREATE INDEX asset_by_words_and_facets ON asset USING gin (words, facets) WITH (fastupdate = off);

CREATE TABLE version (
    asset bigint NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    checksum text COLLATE "C" NOT NULL,
    creator text COLLATE "C" NOT NULL,
    document text NOT NULL,
    summary text NOT NULL,
    on_chain integer NOT NULL,
    pending_since bigint NOT NULL,
    PRIMARY KEY (asset, checksum)
);
CREATE INDEX version_pending ON version (pending_since) WHERE on_chain = 0;

-- Listed assets, for counting those with one facet without reading them.
CREATE TABLE facet (
    kind text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    asset bigint NOT NULL REFERENCES asset (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, asset)
);
CREATE INDEX facet_by_asset ON facet (asset);

CREATE TABLE publication (
    creator text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    asset bigint NOT NULL,
    checksum text COLLATE "C" NOT NULL,
    PRIMARY KEY (creator, key),
    FOREIGN KEY (asset, checksum) REFERENCES version (asset, checksum) ON DELETE CASCADE
);
CREATE INDEX publication_by_version ON publication (asset, checksum);

CREATE TABLE ledger (
    block bigint NOT NULL,
    position bigint NOT NULL,
    did text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    checksum text COLLATE "C",
    version bigint,
    time bigint NOT NULL,
    PRIMARY KEY (block, position)
);
CREATE INDEX ledger_by_did ON ledger (did, block, position);

CREATE TABLE cursor (
    number bigint PRIMARY KEY,
    hash text NOT NULL
);
