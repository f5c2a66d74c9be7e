"""What the catalogue needs from a database engine to find assets by words and facets (see fts5 and tsvector)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from insitu.adapters.sql import Connection

SHORTEST_BEGINNING = 3
"""Letters; shorter beginnings match half of all words, which is slow and helps nobody."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The texts that are searched for words, and the facets of an asset.

    Attributes
    ----------
    facets
        Kind → its values in the form for comparisons.
    """

    name: str
    tags: str
    author: str
    description: str
    did: str
    facets: Mapping[str, frozenset[str]]


class FullText(Protocol):
    """Statements and expressions that find assets.

    Attributes
    ----------
    source
        The tables after FROM, including ``asset``.
    condition
        True for an asset that has all words of the parameter ``:match``.
    rank
        A number that is larger for a better match; it may use ``:match``.
    visibility
        The column, for use beside a condition that finds few assets: an engine without statistics must not begin with
        all listed assets.
    past
        The same for what is retired or pending, apart from what everybody searches, so that no search becomes slower by
        what it does not find.
    """

    source: str
    condition: str
    rank: str
    visibility: str

    @property
    def past(self) -> "FullText":
        """See above."""
        ...

    def expression(self, words: Sequence[str]) -> str:
        """Return ``:match``: every word must be the beginning of a word of the asset, and a short one a whole word."""
        ...

    def facet(self, kind: str, value: str, *, first: bool) -> tuple[str, str]:
        """Return a condition that is true for an asset with this facet, and the value of its parameter ``:<kind>``.

        ``first`` means that nothing else in the query is likely to find fewer assets.
        """
        ...

    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        """Add an asset to the index, which does not contain it yet."""
        ...

    def remove(self, connection: Connection, asset: int) -> None:
        """Remove an asset from the index."""
        ...
