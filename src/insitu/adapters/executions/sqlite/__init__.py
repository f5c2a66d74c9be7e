"""Numbered, forward-only migrations of operator.db."""
