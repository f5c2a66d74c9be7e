-- Which agreements are on a data set: anybody who owns one asks, and removals of providers are followed block by block.

CREATE TABLE agreement_inputs (
    did text COLLATE "C" NOT NULL,
    agreement_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (did, agreement_id)
);
INSERT INTO agreement_inputs SELECT jsonb_object_keys(CAST(versions AS jsonb)), agreement_id FROM agreements;
