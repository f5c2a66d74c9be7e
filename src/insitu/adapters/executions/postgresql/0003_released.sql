-- As 0003 of SQLite.
ALTER TABLE executions ADD COLUMN released text NOT NULL DEFAULT '{}';
