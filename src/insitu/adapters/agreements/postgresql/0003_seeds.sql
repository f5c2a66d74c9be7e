-- The seed of a promised purchase: a second request of a consumer with the same seed means the same purchase.

ALTER TABLE relays ADD COLUMN seed text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX relays_seed ON relays (consumer, seed);
