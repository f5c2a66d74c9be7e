-- What of the logs may reach the consumer: a LogRelease as JSON, beside the record because lines come often.
ALTER TABLE executions ADD COLUMN released TEXT NOT NULL DEFAULT '{}';
