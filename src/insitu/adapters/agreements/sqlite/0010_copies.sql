-- Copies of the documents that agreements buy, each kept until nothing can be executed under the last of them.

CREATE TABLE copies (
    did TEXT NOT NULL,
    checksum TEXT NOT NULL,
    block INTEGER NOT NULL,
    document TEXT NOT NULL,
    needed_until INTEGER NOT NULL,
    PRIMARY KEY (did, checksum)
) STRICT;
CREATE INDEX copies_needed_until ON copies (needed_until);
