-- The same as SQLite's table (0001 there), for PostgreSQL.
CREATE TABLE executions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation: the queue
    execution_id text COLLATE "C" NOT NULL UNIQUE,
    agreement_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    live integer NOT NULL, -- 1 until a final phase
    settled integer NOT NULL, -- 1 when it has ended and is cleaned
    record text NOT NULL,
    ticket text NOT NULL -- empty when settled
);

CREATE UNIQUE INDEX one_live_execution_per_agreement ON executions (agreement_id) WHERE live = 1;
CREATE INDEX executions_of_an_agreement ON executions (agreement_id, number);
CREATE INDEX unsettled_executions ON executions (number) WHERE settled = 0;
