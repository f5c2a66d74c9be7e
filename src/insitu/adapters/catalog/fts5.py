"""Words in SQLite, with its full-text index FTS5. A caller's text is only ever a quoted phrase in FTS5's language."""

from collections.abc import Sequence

from typing_extensions import override

from insitu.adapters.catalog.fulltext import SHORTEST_BEGINNING, Fields, FullText
from insitu.adapters.sql import Connection


class Fts5(FullText):
    """The virtual table ``search``, whose rowid is the asset's id, beside the table ``facet``."""

    # CROSS JOIN fixes the order, so that the index is searched once and not for each asset.
    source = "search CROSS JOIN asset ON asset.id = search.rowid"
    condition = "search MATCH :match"
    # Name, description, tags, author, DID: a word in the name counts most. The smallest bm25 is the best.
    rank = "-bm25(search, 10.0, 2.0, 6.0, 3.0, 1.0)"
    # The plus stops SQLite from using the index on it.
    visibility = "+asset.visibility"

    @override
    def expression(self, words: Sequence[str]) -> str:
        return " AND ".join(_phrase(word) for word in words)

    @override
    def facet(self, kind: str, value: str, *, first: bool) -> tuple[str, str]:
        # The kind is one of three constants of this package. The search begins with the first facet. The others are
        # looked up for each asset found, instead of listing the thousands of assets that have a frequent facet.
        having = f"FROM facet WHERE kind = '{kind}' AND value = :{kind}"
        if first:
            return f"asset.id IN (SELECT asset {having})", value
        return f"EXISTS (SELECT 1 {having} AND facet.asset = asset.id)", value

    @override
    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        connection.execute(
            "INSERT INTO search (rowid, name, description, tags, author, did) VALUES (?, ?, ?, ?, ?, ?)",
            (asset, fields.name, fields.description, fields.tags, fields.author, fields.did),
        )

    @override
    def remove(self, connection: Connection, asset: int) -> None:
        connection.execute("DELETE FROM search WHERE rowid = ?", (asset,))


def _phrase(word: str) -> str:
    quoted = '"' + word.replace('"', '""').replace("\0", " ") + '"'
    return f"{quoted} *" if len(word) >= SHORTEST_BEGINNING else quoted
