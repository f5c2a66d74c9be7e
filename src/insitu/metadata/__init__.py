"""METADATA-API: the catalogue of DDOs (specification, P2)."""
