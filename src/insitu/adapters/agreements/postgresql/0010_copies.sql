-- Copies of the documents that agreements buy, each kept until nothing can be executed under the last of them.

CREATE TABLE copies (
    did text COLLATE "C" NOT NULL,
    checksum text COLLATE "C" NOT NULL,
    block bigint NOT NULL,
    document text NOT NULL,
    needed_until bigint NOT NULL,
    PRIMARY KEY (did, checksum)
);
CREATE INDEX copies_needed_until ON copies (needed_until);
