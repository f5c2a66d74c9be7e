-- Who finds an asset: 2 everybody, 1 those who ask for its owner, 0 nobody (pending, retired or hidden).
ALTER TABLE asset ADD COLUMN visibility integer NOT NULL DEFAULT 0;
-- What its owner asked for: 1 listed, 0 not, NULL nothing; and why a curator hid it. Deadlines are seconds since 1970.
ALTER TABLE asset ADD COLUMN wish integer;
ALTER TABLE asset ADD COLUMN wish_deadline bigint NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN hidden text;
ALTER TABLE asset ADD COLUMN hidden_deadline bigint NOT NULL DEFAULT 0;
ALTER TABLE facet ADD COLUMN listed integer NOT NULL DEFAULT 0;

-- Data sets stay listed. A result names the execution that it comes from.
UPDATE version SET summary = CAST(jsonb_set(CAST(summary AS jsonb), '{listed}', 'false') AS text)
WHERE CAST(summary AS jsonb) ->> 'type' != 'dataset' OR document LIKE '%"workflowExecutionId"%';
UPDATE asset SET visibility = coalesce(
    (SELECT CASE WHEN CAST(summary AS jsonb) ->> 'listed' = 'false' THEN 1 ELSE 2 END FROM version
     WHERE version.asset = asset.id AND version.checksum = asset.checksum), 0)
WHERE state = 'listed';
UPDATE facet SET listed = 1 WHERE asset IN (SELECT id FROM asset WHERE visibility = 2);

DROP INDEX asset_by_date;
DROP INDEX asset_by_price;
DROP INDEX asset_by_owner;
DROP INDEX asset_by_author;
CREATE INDEX asset_by_date ON asset (registered_at, did) WHERE visibility = 2;
CREATE INDEX asset_by_price ON asset (price, did) WHERE visibility = 2;
CREATE INDEX asset_by_owner ON asset (owner) WHERE visibility >= 1;
CREATE INDEX asset_by_author ON asset (author) WHERE visibility >= 1;
CREATE INDEX facet_of_listed ON facet (kind, value) WHERE listed = 1;
