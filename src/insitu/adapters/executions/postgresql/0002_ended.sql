-- The same as SQLite's 0002, for PostgreSQL.
ALTER TABLE executions ADD COLUMN ended_at bigint NOT NULL DEFAULT 0;
UPDATE executions SET ended_at = (extract(epoch FROM now()) * 1000)::bigint WHERE live = 0;
CREATE INDEX settled_executions ON executions (ended_at, number) WHERE settled = 1;
