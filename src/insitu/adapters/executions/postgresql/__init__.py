"""Numbered, forward-only migrations of the operator's schema in PostgreSQL."""
