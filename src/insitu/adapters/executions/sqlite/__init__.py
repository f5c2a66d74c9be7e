"""Numbered, forward-only changes of the schema of operator.db."""
