-- Whom the price of an agreement goes to: accounts ask what they received, and what waits for them.

CREATE TABLE agreement_receivers (
    account text COLLATE "C" NOT NULL,
    agreement_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, agreement_id)
);
INSERT INTO agreement_receivers
SELECT DISTINCT lower(jsonb_array_elements_text(CAST(terms AS jsonb) -> 'receivers')), agreement_id FROM agreements;
