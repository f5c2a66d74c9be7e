"""What the catalogue needs of an engine to find assets by words and facets; each has its own way (fts5, tsvector)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from insitu.adapters.sql import Connection

__all__ = ["SHORTEST_BEGINNING", "Fields", "FullText"]

SHORTEST_BEGINNING = 3
"""Letters; the beginnings of fewer letters are those of half of all words, which is slow and helps nobody."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a listed asset is found by: the texts that words are looked for in, and its facets.

    Attributes
    ----------
    facets
        ``service``, ``tag`` and ``category``, each with values as they are compared.
    """

    name: str
    tags: str
    author: str
    description: str
    did: str
    facets: Mapping[str, frozenset[str]]


class FullText(Protocol):
    """Statements and expressions that find listed assets.

    Attributes
    ----------
    source
        What follows FROM, ``asset`` among it.
    condition
        True for an asset that has all words, which are the parameter ``:match``.
    rank
        A number, larger for what fits better; it may use ``:match``.
    listed
        True for a listed asset, where another condition finds few assets: an engine without statistics must not begin
        with all that are listed.
    """

    source: str
    condition: str
    rank: str
    listed: str

    def expression(self, words: Sequence[str]) -> str:
        """Return ``:match``: every word must begin a word of the asset, a short one must be one."""
        ...

    def facet(self, kind: str, value: str, *, first: bool) -> tuple[str, str]:
        """Return a condition, true for an asset with this facet, and what its parameter ``:<kind>`` is.

        ``first`` tells that nothing else in the query is likely to find fewer assets.
        """
        ...

    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        """Index an asset that is not in the index."""
        ...

    def remove(self, connection: Connection, asset: int) -> None:
        """Take an asset out of the index."""
        ...
