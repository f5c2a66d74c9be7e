-- Purchases that this gateway sends for their consumers, and what it has promised to spend on them, in gwei.

CREATE TABLE relays (
    position INTEGER PRIMARY KEY,
    agreement_id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    cost INTEGER NOT NULL,
    at INTEGER NOT NULL,
    signed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX relays_agreement ON relays (agreement_id);
CREATE INDEX relays_at ON relays (at);
