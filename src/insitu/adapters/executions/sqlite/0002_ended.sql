-- When an execution ended, in milliseconds since 1970, for finding the oldest; 0 until then.
ALTER TABLE executions ADD COLUMN ended_at INTEGER NOT NULL DEFAULT 0;
-- Earlier executions are kept as long as if they had ended now.
UPDATE executions SET ended_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE live = 0;
CREATE INDEX settled_executions ON executions (ended_at, number) WHERE settled = 1;
