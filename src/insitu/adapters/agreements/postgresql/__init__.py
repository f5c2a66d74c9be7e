"""The store of the gateway in PostgreSQL; its migrations lie beside this file."""

from insitu.adapters.agreements.store import SqlAgreements

__all__ = ["MIGRATIONS", "PostgresqlAgreements"]

MIGRATIONS = __name__
"""For :class:`insitu.adapters.postgresql.Database`."""


class PostgresqlAgreements(SqlAgreements):
    """The gateway's memory in a schema with :data:`MIGRATIONS`."""
