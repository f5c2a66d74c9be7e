"""Adapters of the agreements port: the gateway's store in an SQL database."""
