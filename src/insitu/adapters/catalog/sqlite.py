"""The catalogue in one SQLite file, metadata.db."""

from pathlib import Path

from insitu.adapters.catalog.fts5 import Fts5
from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.sqlite import SqliteDatabase


class SqliteCatalog(SqlCatalog):
    """The catalogue in the file at ``path``, with FTS5 for the words."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(SqliteDatabase(path, "insitu.adapters.catalog"), Fts5())
