"""The catalogue in PostgreSQL; its migrations lie beside this file."""

from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.catalog.tsvector import Tsvector
from insitu.adapters.sql import Database

__all__ = ["MIGRATIONS", "PostgresqlCatalog"]

MIGRATIONS = __name__
"""For :class:`insitu.adapters.postgresql.Database`."""


class PostgresqlCatalog(SqlCatalog):
    """The catalogue in a schema with :data:`MIGRATIONS`, with a tsvector for words."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Tsvector())
