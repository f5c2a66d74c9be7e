-- Purchases that this gateway sends for their consumers, and what it has promised to spend on them, in gwei.

CREATE TABLE relays (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agreement_id text COLLATE "C" NOT NULL,
    consumer text COLLATE "C" NOT NULL,
    cost bigint NOT NULL,
    at bigint NOT NULL,
    signed bigint NOT NULL DEFAULT 0
);
CREATE INDEX relays_agreement ON relays (agreement_id);
CREATE INDEX relays_at ON relays (at);
