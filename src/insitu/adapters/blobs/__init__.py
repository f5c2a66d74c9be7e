"""Adapters of the blobs port: a local folder and an object store."""
