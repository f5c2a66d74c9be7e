"""Numbered, forward-only changes of the operator's schema in PostgreSQL."""
