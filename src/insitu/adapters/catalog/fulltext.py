"""What the catalogue needs of an engine's full-text index; each engine has its own (fts5, tsvector)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from insitu.adapters.sql import Connection

__all__ = ["SHORTEST_BEGINNING", "Fields", "FullText"]

SHORTEST_BEGINNING = 3
"""Letters; the beginnings of fewer letters are those of half of all words, which is slow and helps nobody."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The text of an asset that words are looked for in, the most important first."""

    name: str
    tags: str
    author: str
    description: str
    did: str


class FullText(Protocol):
    """Statements and expressions that find listed assets by words.

    Attributes
    ----------
    source
        What follows FROM, ``asset`` among it.
    condition
        True for an asset that has all words, which are the parameter ``:match``.
    rank
        A number, larger for what fits better; it may use ``:match``.
    """

    source: str
    condition: str
    rank: str

    def expression(self, words: Sequence[str]) -> str:
        """Return ``:match``: every word must begin a word of the asset, a short one must be one."""
        ...

    def put(self, connection: Connection, asset: int, fields: Fields) -> None:
        """Index an asset that is not in the index."""
        ...

    def remove(self, connection: Connection, asset: int) -> None:
        """Take an asset out of the index."""
        ...
