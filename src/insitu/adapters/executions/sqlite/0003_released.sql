-- How much of the logs may reach the consumer: a LogRelease as JSON, not in the record because it changes often.
ALTER TABLE executions ADD COLUMN released TEXT NOT NULL DEFAULT '{}';
