"""Numbered, forward-only migrations of gateway.db."""
