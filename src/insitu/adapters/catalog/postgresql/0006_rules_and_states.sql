-- Who finds an asset may now also be: -1 who asks for what is retired, -2 the same with its owner, -3 who asks for what
-- is pending, with its owner.
CREATE INDEX asset_past ON asset (visibility, registered_at, did) WHERE visibility < 0;
-- The form of a summary. One of an earlier form is made again from its document: what may run, and what may leave.
ALTER TABLE version ADD COLUMN form integer NOT NULL DEFAULT 1;
CREATE INDEX version_to_summarise ON version (form) WHERE form < 2;
