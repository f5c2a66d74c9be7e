"""Catalog port: the METADATA-API's documents and full-text index."""
