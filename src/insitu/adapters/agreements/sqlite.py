"""The store of the gateway in one SQLite file, gateway.db."""

from insitu.adapters.agreements.store import SqlAgreements

__all__ = ["MIGRATIONS", "SqliteAgreements"]

MIGRATIONS = "insitu.adapters.agreements.migrations"
"""For :class:`insitu.adapters.sqlite.Database`."""


class SqliteAgreements(SqlAgreements):
    """The gateway's memory in a file with :data:`MIGRATIONS`."""
