"""Executions in PostgreSQL; the migrations lie beside this file."""

from insitu.adapters.executions.store import SqlExecutions

__all__ = ["MIGRATIONS", "PostgresqlExecutions"]

MIGRATIONS = __name__
"""For :class:`insitu.adapters.postgresql.Database`."""


class PostgresqlExecutions(SqlExecutions):
    """The operator's records in a schema with :data:`MIGRATIONS`."""
