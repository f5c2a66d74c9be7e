-- Everybody may ask what compute is left, and rows of executions are long: these have only what counts, owes or has paid.

CREATE INDEX executions_free_agreement ON executions (agreement_id, free_until) WHERE free_seconds > 0;
CREATE INDEX executions_free_consumer ON executions (consumer, free_until) WHERE free_seconds > 0;
CREATE INDEX executions_owing ON executions (agreement_id)
    WHERE frozen IS NOT NULL AND (charge IS NULL OR charge != '0');
CREATE INDEX executions_paid ON executions (consumer) WHERE charge != '0' AND settlement_transaction IS NOT NULL;
