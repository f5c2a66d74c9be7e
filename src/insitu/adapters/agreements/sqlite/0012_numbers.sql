-- One number for each event of all executions, and for each agreement, in the order in which they were stored.

ALTER TABLE events ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE events SET number = ranked.number FROM (
    SELECT execution_id, sequence, row_number() OVER (ORDER BY at, execution_id, sequence) AS number FROM events
) AS ranked WHERE ranked.execution_id = events.execution_id AND ranked.sequence = events.sequence;
CREATE INDEX events_number ON events (number);

ALTER TABLE agreements ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE agreements SET number = ranked.number FROM (
    SELECT agreement_id, row_number() OVER (ORDER BY start, agreement_id) AS number FROM agreements
) AS ranked WHERE ranked.agreement_id = agreements.agreement_id;
CREATE INDEX agreements_number ON agreements (number);
CREATE INDEX agreements_of_consumer ON agreements (consumer, number);
