-- The same as SQLite's 0003.
ALTER TABLE executions ADD COLUMN released text NOT NULL DEFAULT '{}';
