-- The seed of a promised purchase: a consumer who asks again with the same one means the same purchase.

ALTER TABLE relays ADD COLUMN seed TEXT NOT NULL DEFAULT '';
CREATE INDEX relays_seed ON relays (consumer, seed);
