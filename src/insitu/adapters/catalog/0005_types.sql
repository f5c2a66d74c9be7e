-- Finds and counts the listed assets of a type, newest first, without reading all assets.
CREATE INDEX asset_by_type ON asset (visibility, type, registered_at);
