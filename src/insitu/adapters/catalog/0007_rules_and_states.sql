-- Who finds an asset may now also be: -1 who asks for what is retired, -2 the same with its owner, -3 who asks for what
-- is pending, with its owner. These are in a full-text index of their own.
CREATE VIRTUAL TABLE search_past USING fts5 (
    name, description, tags, author, did,
    tokenize = "unicode61 remove_diacritics 2",
    prefix = '2 3'
);
-- The form of a summary. One of an earlier form is made again from its document: what may run, and what may leave.
ALTER TABLE version ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
CREATE INDEX version_to_summarise ON version (form) WHERE form < 2;
