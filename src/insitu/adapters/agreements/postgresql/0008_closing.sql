-- An agreement that is being closed: no execution starts any more.

ALTER TABLE agreements ADD COLUMN closing BIGINT NOT NULL DEFAULT 0;
