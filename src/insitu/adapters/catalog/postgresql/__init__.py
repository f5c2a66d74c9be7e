"""The catalogue in PostgreSQL; its migrations are beside this file."""

from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.catalog.tsvector import Tsvector
from insitu.adapters.sql import Database

__all__ = ["MIGRATIONS", "PostgresqlCatalog"]

MIGRATIONS = __name__
"""The package of the migrations, for :class:`insitu.adapters.postgresql.Database`."""


class PostgresqlCatalog(SqlCatalog):
    """The catalogue in a schema with :data:`MIGRATIONS`, with a tsvector for the words."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Tsvector())
