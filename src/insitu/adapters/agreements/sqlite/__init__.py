"""Numbered, forward-only changes of the schema of gateway.db."""
