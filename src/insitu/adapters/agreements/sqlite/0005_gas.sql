-- Executions without a charge use gas as well, and the amount paid replaces the amount reserved, in gwei.

ALTER TABLE relays ADD COLUMN execution_id TEXT;
ALTER TABLE relays ADD COLUMN stranger INTEGER NOT NULL DEFAULT 1;
ALTER TABLE relays ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;
CREATE INDEX relays_execution ON relays (execution_id) WHERE execution_id IS NOT NULL;
ALTER TABLE transactions ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
