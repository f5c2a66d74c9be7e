"""Numbered, forward-only changes of the gateway's schema in PostgreSQL."""
