"""Executions in the operator's SQLite file."""

from insitu.adapters.executions.store import SqlExecutions

__all__ = ["MIGRATIONS", "SqliteExecutions"]

MIGRATIONS = "insitu.adapters.executions"
"""The package whose ``.sql`` files make the schema: ``Database(path, MIGRATIONS)``."""


class SqliteExecutions(SqlExecutions):
    """The operator's records in a file with :data:`MIGRATIONS`."""
