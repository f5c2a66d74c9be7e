"""What stores expect from an SQL engine, so that each statement is written once for SQLite and PostgreSQL.

A store's statements use what both engines understand: ``?`` or ``:name`` for parameters (a quoted text has neither),
``ON CONFLICT``, no booleans. A transaction is a function of a connection. It runs in a thread, and again from the start
if another transaction was in its way, so it must do nothing besides its statements.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from insitu.domain.errors import InsituError

Result = TypeVar("Result")

Parameters = Sequence[object] | Mapping[str, object]


class Row(Protocol):
    """A row with columns by name or position."""

    def __getitem__(self, column: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Rows(Protocol):
    """The result of a statement: rows to fetch, or how many it changed."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the remaining rows."""
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
        """Run ``transaction`` as if it were alone, commit it durably, and return what it returns."""
        ...

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run ``query`` on one consistent snapshot; it cannot write."""
        ...

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while no other user of the database does; cancel it if that can no longer be guaranteed."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def placeholders(values: Sequence[object]) -> str:
    """Return ``?, ?, ?`` for the values of an ``IN (…)``; without values NULL, which equals nothing."""
    return ", ".join("?" * len(values)) or "NULL"


def insert(db: Connection, table: str, values: Mapping[str, object], otherwise: str = "") -> Rows:
    """Store a row by the names of its columns; ``otherwise`` is what to do if it is there (``ON CONFLICT …``)."""
    row = f"({', '.join(values)}) VALUES ({placeholders(tuple(values))})"
    return db.execute(f"INSERT INTO {table} {row} {otherwise}", (*values.values(),))


def milliseconds(moment: datetime) -> int:
    """Return a time as the tables have it: in milliseconds since 1970, rounded."""
    return round(moment.timestamp() * 1000)


def migrations(package: str) -> list[str]:
    """Return the scripts of a package, ``0001_<what>.sql``, ``0002_…``, which must be numbered without a gap."""
    found = sorted(
        (entry for entry in files(package).iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    for number, entry in enumerate(found, start=1):
        if not entry.name.startswith(f"{number:04d}_"):
            raise InsituError("StorageFailed", f"{package}: migration {entry.name} should have number {number:04d}")
    return [entry.read_text("utf-8") for entry in found]
