-- Finds an author's assets without reading all assets.
CREATE INDEX asset_by_author ON asset (author);
