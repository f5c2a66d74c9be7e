"""What stores expect of a SQL engine, so that a statement is written once for SQLite and PostgreSQL.

A store's statements are in what both engines read alike: ``?`` or ``:name`` for parameters (a text in quotes holds
neither), ``ON CONFLICT``, no booleans. A transaction is a function of a connection. It runs in a thread, and again
from the start where another transaction was in its way, so besides its statements it must do nothing.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from insitu.domain.errors import InsituError

__all__ = ["Connection", "Database", "Parameters", "Row", "Rows", "migrations", "milliseconds", "placeholders"]

Result = TypeVar("Result")

Parameters = Sequence[object] | Mapping[str, object]


class Row(Protocol):
    """A row; its columns by name or position."""

    def __getitem__(self, column: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Rows(Protocol):
    """What a statement left: rows to fetch, or how many it changed."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        ...


class Connection(Protocol):
    """A connection inside a transaction."""

    def execute(self, statement: str, parameters: Any = ..., /) -> Rows:
        """Run a statement; ``parameters`` are a sequence for ``?``, a mapping for ``:name``."""
        ...

    def executemany(self, statement: str, parameters: Any, /) -> Rows:
        """Run a statement for each set of parameters."""
        ...


class Database(Protocol):
    """An engine with the schema of one actor."""

    async def write(self, transaction: Callable[[Connection], Result]) -> Result:
        """Run ``transaction`` as if it were alone, commit, and return what it returns; it is durable then."""
        ...

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run ``query`` on one consistent snapshot; it cannot write."""
        ...

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while nobody else who uses the database does; cancel it where that cannot be held."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def placeholders(values: Sequence[object]) -> str:
    """Return ``?, ?, ?``: one for each value of an ``IN (…)``; NULL, which nothing is, where there are none."""
    return ", ".join("?" * len(values)) or "NULL"


def milliseconds(moment: datetime) -> int:
    """A time as the tables have it: rounded to the millisecond, since 1970."""
    return round(moment.timestamp() * 1000)


def migrations(package: str) -> list[str]:
    """Return the scripts of a package, ``0001_<what>.sql``, ``0002_…``, which must be numbered without a gap."""
    found = sorted((entry for entry in files(package).iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    for number, entry in enumerate(found, start=1):
        if not entry.name.startswith(f"{number:04d}_"):
            raise InsituError("StorageFailed", f"{package}: migration {entry.name} should have number {number:04d}")
    return [entry.read_text("utf-8") for entry in found]
