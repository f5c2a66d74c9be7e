-- Which agreements are on a data set: anybody who owns one asks, and removals of providers are followed block by block.

CREATE TABLE agreement_inputs (
    did TEXT NOT NULL,
    agreement_id TEXT NOT NULL,
    PRIMARY KEY (did, agreement_id)
) STRICT, WITHOUT ROWID;
INSERT INTO agreement_inputs SELECT version.key, agreement_id FROM agreements, json_each(agreements.versions) AS version;
