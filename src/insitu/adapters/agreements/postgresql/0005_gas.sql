-- Executions without a charge use gas as well, and the amount paid replaces the amount reserved, in gwei.

ALTER TABLE relays ADD COLUMN execution_id text COLLATE "C";
ALTER TABLE relays ADD COLUMN stranger integer NOT NULL DEFAULT 1;
ALTER TABLE relays ADD COLUMN paid bigint NOT NULL DEFAULT 0;
CREATE INDEX relays_execution ON relays (execution_id) WHERE execution_id IS NOT NULL;
ALTER TABLE transactions ADD COLUMN counted integer NOT NULL DEFAULT 0;
