"""Agreements port: the gateway's terms, cursor, outbox, receipts and events."""
