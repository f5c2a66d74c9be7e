"""SQLite as every actor uses it: one file, one writer, forward-only migrations.

A transaction is a function of a connection that runs in a thread; it is committed when the function returns and rolled
back when it raises. Writers wait in one queue and begin IMMEDIATE, so no transaction fails half way because another one
wrote; readers see a snapshot and never wait (WAL). With ``synchronous=FULL``, committed data survives a power cut.
"""

import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

import anyio
import anyio.to_thread

from insitu.adapters.sql import migrations
from insitu.domain.errors import InsituError

Result = TypeVar("Result")

READERS = 4
BUSY_SECONDS = 30.0
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # KiB of pages that each connection caches: a quarter of the default, because the system caches the file.
    "PRAGMA cache_size = -512",
)


class SqliteDatabase:
    """An actor's database file, opened and migrated at its first use.

    Parameters
    ----------
    path
        The file; its folder is created if necessary. Only the owner of the process can read it.
    migrations_package
        A package with files ``0001_<what>.sql``, ``0002_…``: applied once each, in order, each in a transaction.

    The first use raises ``SchemaTooNew`` if a newer version of the software wrote the file. Every use raises
    ``StorageFailed`` for an error of SQLite that the function does not handle itself.
    """

    def __init__(self, path: Path | str, migrations_package: str) -> None:
        self._path = Path(path)
        self._migrations = migrations_package
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._closings = 0
        self._lock = threading.Lock()
        self._write_turn = anyio.CapacityLimiter(1)
        self._read_turn = anyio.CapacityLimiter(READERS)
        self._work_turn = anyio.Lock()

    async def write(self, transaction: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``transaction`` as the only writer and commit. It runs in a thread and must not touch the event loop."""
        return await anyio.to_thread.run_sync(self._write, transaction, limiter=self._write_turn)

    async def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run ``query`` on one consistent snapshot; it cannot write."""
        if self._writer is None:
            await self.open()
        return await anyio.to_thread.run_sync(self._read, query, limiter=self._read_turn)

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while nobody else in this process does; the folder's lock keeps other processes away."""
        async with self._work_turn:
            await work()

    async def open(self) -> Self:
        """Open and migrate now, so that a start fails early; otherwise the first use does it."""
        await anyio.to_thread.run_sync(self._open_writer, limiter=self._write_turn)
        return self

    async def close(self) -> None:
        """Close the file after unfinished transactions have ended. The database can be used again afterwards."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close, limiter=self._write_turn)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _write(self, transaction: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._open_writer()
        return self._transact(connection, "BEGIN IMMEDIATE", transaction)

    def _read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        with self._lock:
            connection, closings = self._idle.pop() if self._idle else None, self._closings
        if connection is None:
            connection = self._connect("PRAGMA query_only = ON")
        try:
            return self._transact(connection, "BEGIN", query)
        finally:
            with self._lock:
                keep = closings == self._closings
                if keep:
                    self._idle.append(connection)
            if not keep:  # the file was closed in the meantime, and nobody else would close this one
                connection.close()

    def _transact(
        self, connection: sqlite3.Connection, begin: str, body: Callable[[sqlite3.Connection], Result]
    ) -> Result:
        try:
            connection.execute(begin)
            try:
                result = body(connection)
                connection.execute("COMMIT")
            except BaseException:
                # After some errors, such as a full disk, SQLite has already rolled back.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._storage_failed(error) from error
        return result

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            connection = self._connect()
            try:
                self._migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._writer = connection
        return self._writer

    def _connect(self, *pragmas: str) -> sqlite3.Connection:
        connection = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite would create the file with the umask, and journal files get the mode of the database. An existing
            # file is not opened: closing it would release the locks of this process's other connections (POSIX), and
            # the next process that opened the file would delete the journal.
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            for pragma in (*_PRAGMAS, *pragmas):
                connection.execute(pragma)
        except (OSError, sqlite3.Error) as error:
            if connection is not None:
                connection.close()
            raise self._storage_failed(error) from error
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        scripts = migrations(self._migrations)

        def apply(transaction: sqlite3.Connection) -> None:
            present: int = transaction.execute("PRAGMA user_version").fetchone()[0]
            if present > len(scripts):
                detail = f"{self._path} has schema {present}, but this version only knows {len(scripts)}"
                raise InsituError("SchemaTooNew", detail)
            for script in scripts[present:]:
                for statement in _statements(script):
                    transaction.execute(statement)
            # A pragma takes no parameters; the value is a number.
            transaction.execute(f"PRAGMA user_version = {len(scripts)}")

        self._transact(connection, "BEGIN IMMEDIATE", apply)

    def _close(self) -> None:
        with self._lock:
            connections, self._idle = [*self._idle], []
            self._closings += 1
        if self._writer is not None:
            connections.append(self._writer)
            self._writer = None
        for connection in connections:
            with suppress(sqlite3.Error):
                connection.close()

    def _storage_failed(self, error: Exception) -> InsituError:
        return InsituError("StorageFailed", f"{self._path.name}: {error}")


def _statements(script: str) -> list[str]:
    """Split a script into statements; a trigger's body keeps its semicolons."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return [*statements, *([pending] if pending.strip() else [])]
