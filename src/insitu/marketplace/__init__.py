"""MARKETPLACE: the web surface of the catalogue."""
