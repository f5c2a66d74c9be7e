"""Blobs port: bytes in a local folder or an object store."""
