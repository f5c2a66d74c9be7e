-- Data sets whose owners let nothing run on them for now, and whether what runs is stopped, too.

CREATE TABLE pauses (
    did TEXT PRIMARY KEY,
    stopping BIGINT NOT NULL
);
