"""Numbered, forward-only migrations of the gateway's schema in PostgreSQL."""
