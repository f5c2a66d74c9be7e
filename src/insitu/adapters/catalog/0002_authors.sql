-- An author's assets are found without looking at all.
CREATE INDEX asset_by_author ON asset (author);
