"""Words and facets in PostgreSQL: a tsvector and an array, with one GIN index over both.

Our own code splits text into words, because how PostgreSQL's parser treats hyphens, numbers and addresses depends on
the server's configuration. A word is a run of letters and digits, in lower case and without diacritics, as in FTS5. So
a lexeme never contains a character with a meaning in tsquery's language.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from typing_extensions import override

from insitu.adapters.catalog.fulltext import SHORTEST_BEGINNING, Fields, FullText
from insitu.adapters.sql import Connection

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 500
"""Letters of a word that are kept; PostgreSQL accepts 2046 bytes."""
_LAST_POSITION = 16383
"""The last position of a word in a tsvector; later words are found, but not as parts of a phrase."""
_LARGEST = 900_000
"""Bytes of lexemes and positions; PostgreSQL accepts 1 MiB less one. Words after that are not found."""


class Tsvector(FullText):
    """The columns ``words`` and ``facets`` of the asset, NULL if nobody finds it."""

    source = "asset"
    condition = "asset.words @@ CAST(:match AS tsquery)"
    # Weights of D (description, DID), C (author), B (tags), A (name); long texts count a little less.
    rank = "ts_rank('{0.1, 0.3, 0.6, 1.0}', asset.words, CAST(:match AS tsquery), 1)"
    visibility = "asset.visibility"

    @property
    @override
    def past(self) -> FullText:
        return self  # one index has them all, and an asset's visibility is in its statistics

    @override
    def expression(self, words: Sequence[str]) -> str:
        phrases = [_phrase(word) for word in words]
        # No asset contains a word without letters or digits; an empty tsquery finds nothing.
        return " & ".join(phrases) if all(phrases) else ""

    @override
    def facet(self, kind: str, value: str, *, first: bool) -> tuple[str, str]:
        return f"asset.facets @> ARRAY[CAST(:{kind} AS text)]", f"{kind}:{value}"

    @override
    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        facets = [f"{kind}:{value}" for kind, values in fields.facets.items() for value in sorted(values)]
        connection.execute(
            "UPDATE asset SET words = CAST(? AS tsvector), facets = CAST(? AS text[]) WHERE id = ?",
            (_vector(fields), facets, asset),
        )

    @override
    def remove(self, connection: Connection, asset: int) -> None:
        connection.execute("UPDATE asset SET words = NULL, facets = NULL WHERE id = ?", (asset,))


def _words(text: str) -> Iterator[str]:
    plain = (letter for letter in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(letter))
    return (found.group()[:_LONGEST] for found in _WORD.finditer("".join(plain)))


def _phrase(word: str) -> str:
    lexemes = [f"'{lexeme}'" for lexeme in _words(word)]
    if lexemes and len(word) >= SHORTEST_BEGINNING:
        lexemes[-1] += ":*"
    return f"({' <-> '.join(lexemes)})" if lexemes else ""


def _vector(fields: Fields) -> str:
    positions: dict[str, list[str]] = {}
    position, size = 0, 0
    for text, weight in (
        (fields.name, "A"),
        (fields.tags, "B"),
        (fields.author, "C"),
        (fields.did, "D"),
        (fields.description, "D"),
    ):
        for word in _words(text):
            position += 1
            size += 2 if word in positions else 8 + len(word.encode())
            if size > _LARGEST:
                break
            positions.setdefault(word, []).append(f"{min(position, _LAST_POSITION)}{weight}")
        position += 1  # so that no phrase crosses from one text into the next
    return " ".join(f"'{word}':{','.join(places)}" for word, places in positions.items())
