-- One row per execution. `record` is the Execution as JSON; the other columns are for searching and comparing.
CREATE TABLE executions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation: the queue
    execution_id TEXT NOT NULL UNIQUE,
    agreement_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    live INTEGER NOT NULL, -- 1 until a final phase
    settled INTEGER NOT NULL, -- 1 when it has ended and is cleaned
    record TEXT NOT NULL,
    ticket TEXT NOT NULL -- empty when settled
) STRICT;

CREATE UNIQUE INDEX one_live_execution_per_agreement ON executions (agreement_id) WHERE live = 1;
CREATE INDEX executions_of_an_agreement ON executions (agreement_id, number);
CREATE INDEX unsettled_executions ON executions (number) WHERE settled = 0;
