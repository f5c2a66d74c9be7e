"""The METADATA-API: the catalogue of DDOs (P2)."""
