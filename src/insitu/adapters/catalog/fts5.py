"""Words in SQLite, with its full-text index FTS5. A caller's text is only ever a quoted phrase in FTS5's language."""

from collections.abc import Sequence
from typing import Literal

from typing_extensions import override

from insitu.adapters.catalog.fulltext import SHORTEST_BEGINNING, Fields, FullText
from insitu.adapters.sql import Connection


class Fts5(FullText):
    """A virtual table whose rowid is the asset's id, beside the table ``facet``."""

    # The plus stops SQLite from using the index on it.
    visibility = "+asset.visibility"

    def __init__(self, table: Literal["search", "search_past"] = "search") -> None:
        self._table = table
        # CROSS JOIN fixes the order, so that the index is searched once and not for each asset.
        self.source = f"{table} CROSS JOIN asset ON asset.id = {table}.rowid"
        self.condition = f"{table} MATCH :match"
        # Name, description, tags, author, DID: a word in the name counts most. The smallest bm25 is the best.
        self.rank = f"-bm25({table}, 10.0, 2.0, 6.0, 3.0, 1.0)"

    @property
    @override
    def past(self) -> FullText:
        return Fts5("search_past")

    @override
    def expression(self, words: Sequence[str]) -> str:
        return " AND ".join(_phrase(word) for word in words)

    @override
    def facet(self, kind: str, value: str, *, first: bool) -> tuple[str, str]:
        # The kind is one of a few constants of this package. The search begins with the first facet. The others are
        # looked up for each asset found, instead of listing the thousands of assets that have a frequent facet.
        having = f"FROM facet WHERE kind = '{kind}' AND value = :{kind}"
        if first:
            return f"asset.id IN (SELECT asset {having})", value
        return f"EXISTS (SELECT 1 {having} AND facet.asset = asset.id)", value

    @override
    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        connection.execute(
            f"INSERT INTO {self._table} (rowid, name, description, tags, author, did)"  # noqa: S608 - one of two names
            " VALUES (?, ?, ?, ?, ?, ?)",
            (asset, fields.name, fields.description, fields.tags, fields.author, fields.did),
        )

    @override
    def remove(self, connection: Connection, asset: int) -> None:
        connection.execute(f"DELETE FROM {self._table} WHERE rowid = ?", (asset,))  # noqa: S608 - one of two names


def _phrase(word: str) -> str:
    quoted = '"' + word.replace('"', '""').replace("\0", " ") + '"'
    return f"{quoted} *" if len(word) >= SHORTEST_BEGINNING else quoted
