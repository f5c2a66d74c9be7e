"""Adapters of the peers port: the neighbouring service as an object in this process, or over HTTP."""
