-- Whom the price of an agreement goes to: accounts ask what they received, and what waits for them.

CREATE TABLE agreement_receivers (
    account TEXT NOT NULL,
    agreement_id TEXT NOT NULL,
    PRIMARY KEY (account, agreement_id)
) STRICT, WITHOUT ROWID;
INSERT INTO agreement_receivers SELECT DISTINCT lower(receiver.value), agreement_id
FROM agreements, json_each(agreements.terms, '$.receivers') AS receiver;
