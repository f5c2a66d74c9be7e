-- Seconds of compute that count as free until a time; what has not ended counts with its time limit.

ALTER TABLE executions ADD COLUMN free_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN free_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN pays INTEGER NOT NULL DEFAULT 0;
CREATE INDEX executions_free ON executions (free_until) WHERE free_seconds > 0;
