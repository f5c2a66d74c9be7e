"""Peers port: the neighbour service as an object in this process, or over HTTP."""
