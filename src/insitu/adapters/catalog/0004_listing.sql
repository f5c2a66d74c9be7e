-- Who finds an asset: 2 everybody, 1 those who ask for its owner, 0 nobody (pending, retired or hidden).
ALTER TABLE asset ADD COLUMN visibility INTEGER NOT NULL DEFAULT 0;
-- What its owner asked for: 1 listed, 0 not, NULL nothing; and why a curator hid it. Deadlines are seconds since 1970.
ALTER TABLE asset ADD COLUMN wish INTEGER;
ALTER TABLE asset ADD COLUMN wish_deadline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset ADD COLUMN hidden TEXT;
ALTER TABLE asset ADD COLUMN hidden_deadline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE facet ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;

-- Data sets stay listed. A result names the execution that it comes from.
UPDATE version SET summary = json_set(summary, '$.listed', json('false'))
WHERE json_extract(summary, '$.type') != 'dataset' OR document LIKE '%"workflowExecutionId"%';
UPDATE asset SET visibility = coalesce(
    (SELECT CASE WHEN json_extract(summary, '$.listed') = 0 THEN 1 ELSE 2 END FROM version
     WHERE version.asset = asset.id AND version.checksum = asset.checksum), 0)
WHERE state = 'listed';
UPDATE facet SET listed = 1 WHERE asset IN (SELECT id FROM asset WHERE visibility = 2);

DROP INDEX asset_by_date;
DROP INDEX asset_by_price;
CREATE INDEX asset_by_date ON asset (visibility, registered_at);
CREATE INDEX asset_by_price ON asset (visibility, price);
