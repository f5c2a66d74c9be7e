"""PostgreSQL as every actor may use it: one schema each, serializable transactions, forward-only migrations.

A transaction is a function of a connection that runs in a thread, as with SQLite. It is SERIALIZABLE, so it behaves as
if it were alone, however many processes share the database; if PostgreSQL aborts it because another was in its way, it
runs again. If its connection is lost before COMMIT was sent, it left nothing behind and runs again as well, for as long
as patience lasts. If the answer to COMMIT is lost, nobody knows the outcome, and ``DatabaseUnavailable`` is raised.
"""

import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread
import psycopg
from psycopg import errors

from insitu.adapters.postgresql_session import PostgresqlSession, connect, migrate, schema_version
from insitu.adapters.sql import Connection
from insitu.domain.errors import InsituError
from insitu.waiting import Backoff

Result = TypeVar("Result")

CONNECTIONS = 8
"""Transactions of one store that run at once."""
PATIENCE = 10.0
"""Seconds for which a server that does not answer is asked again; a restart takes less."""
BUSY_SECONDS = 30.0
"""Seconds for which a transaction is repeated because others are in its way."""
TURN_SECONDS = 2.0
"""Seconds between two checks whether a turn is free, or still held."""

_WRITE = "BEGIN ISOLATION LEVEL SERIALIZABLE"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_IN_THE_WAY = (errors.SerializationFailure, errors.DeadlockDetected)
_TRIES_OF_A_DUPLICATE = 3
_STEP_ASIDE = Backoff(0.01, 0.5, jitter=1.0)
"""After a transaction that others were in the way of."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What the doctor reports about a database; ``known`` is the schema of this version of the software."""

    server: str
    schema: int
    known: int


class _CommitUnansweredError(Exception):
    """The connection was lost after COMMIT was sent."""


class PostgresqlDatabase:
    """A schema of a database, opened and migrated at its first use.

    Parameters
    ----------
    url
        ``postgresql://user:password@host:port/database?…``, as libpq reads it. It is never shown to anybody.
    schema
        The actor's schema, created if necessary. Actors may share a database, but never a table.
    migrations_package
        A package with files ``0001_<what>.sql``, ``0002_…``: applied once each, in order, all in one transaction.
    patience
        Seconds for which a server that does not answer is asked again.

    The first use raises ``SchemaTooNew`` if a newer version of the software used the schema, and ``SettingsInvalid``
    for a url that cannot be read. Every use raises ``DatabaseUnavailable`` if the server does not answer, and
    ``StorageFailed`` for any other error of PostgreSQL.
    """

    def __init__(self, url: str, schema: str, migrations_package: str, *, patience: float = PATIENCE) -> None:
        self._url = url
        self._schema = schema
        self._migrations = migrations_package
        self._patience = patience
        self._opened = False
        self._idle: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()
        self._opening = anyio.Lock()
        self._turn = anyio.CapacityLimiter(CONNECTIONS)

    async def write(self, transaction: Callable[[Connection], Result]) -> Result:
        """Run ``transaction`` as if it were alone, and commit it durably."""
        await self.open()
        return await anyio.to_thread.run_sync(self._transact, _WRITE, transaction, limiter=self._turn)

    async def read(self, query: Callable[[Connection], Result]) -> Result:
        """Run ``query`` on one consistent snapshot; it cannot write."""
        await self.open()
        return await anyio.to_thread.run_sync(self._transact, _READ, query, limiter=self._turn)

    async def work_alone(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` while no other process that uses the schema does, and return when it has finished.

        The turn is an advisory lock of a separate session. If that session is lost, ``work`` is cancelled and waits for
        its turn again; another process may have begun in the two seconds before.
        """
        await self.open()
        while True:
            # If this is cancelled while a thread takes the turn, the session is in this list all the same.
            taken: list[psycopg.Connection[Any]] = []
            try:
                with anyio.CancelScope() as holding:
                    while not taken:
                        await anyio.to_thread.run_sync(self._try_turn, taken)
                        if not taken:
                            await anyio.sleep(TURN_SECONDS)
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(self._watch_turn, taken[0], holding)
                        await work()
                        tasks.cancel_scope.cancel()
                    return
            finally:
                with anyio.CancelScope(shield=True):
                    for session in taken:
                        await anyio.to_thread.run_sync(session.close)

    async def condition(self) -> DatabaseState:
        """Return the condition of server and schema, without changing anything."""
        return await anyio.to_thread.run_sync(self._look, limiter=self._turn)

    async def open(self) -> Self:
        """Connect and migrate now, so that a start fails early; otherwise the first use does it."""
        if self._opened:
            return self
        async with self._opening:
            if not self._opened:
                await anyio.to_thread.run_sync(self._migrate, limiter=self._turn)
                self._opened = True
        return self

    async def close(self) -> None:
        """Close the connections, those in use once they are given back. The database can be used again afterwards."""
        self._opened = False
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._drop_idle)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ------------------------------------------------------------------------------------------------ transactions

    def _transact(self, begin: str, body: Callable[[Connection], Result]) -> Result:
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(begin, body)
            except _CommitUnansweredError as error:
                raise _unavailable("the answer to a commit was lost") from error
            except psycopg.Error as error:
                if not self._may_try_again(error, attempt, time.monotonic() - began):
                    raise _translate(error) from error
            time.sleep(_STEP_ASIDE.pause(attempt - 1))

    def _once(self, begin: str, body: Callable[[Connection], Result]) -> Result:
        connection = self._take()
        kept = False
        try:
            connection.execute(begin)
            try:
                result = body(PostgresqlSession(connection))
            except BaseException:
                connection.execute("ROLLBACK")
                kept = True
                raise
            try:
                _commit(connection, is_write=begin == _WRITE)
            except _IN_THE_WAY:
                kept = True
                raise
            kept = True
        finally:
            if kept:
                self._give_back(connection)
            else:
                connection.close()
        return result

    def _take(self) -> psycopg.Connection[Any]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        return connection or connect(self._url, self._schema)

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            if self._opened:
                self._idle.append(connection)
                return
        connection.close()

    def _may_try_again(self, error: psycopg.Error, attempt: int, seconds: float) -> bool:
        if isinstance(error, _IN_THE_WAY):
            return seconds < BUSY_SECONDS
        if isinstance(error, errors.UniqueViolation):
            # Two transactions added the same row at once: the second one finds it when it runs again.
            return attempt < _TRIES_OF_A_DUPLICATE
        if not _is_away(error):
            return False
        # The idle connections are lost with the server.
        self._drop_idle()
        return seconds < self._patience

    def _drop_idle(self) -> None:
        with self._lock:
            connections, self._idle = self._idle, []
        for connection in connections:
            connection.close()

    # ---------------------------------------------------------------------------------------------------- the turn

    def _try_turn(self, taken: list[psycopg.Connection[Any]]) -> None:
        try:
            session = connect(self._url, self._schema)
        except psycopg.Error:
            return  # the server is away, which reads and writes report
        row = None
        with suppress(psycopg.Error):
            row = session.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", (self._schema,)).fetchone()
        if row and row[0]:
            taken.append(session)
        else:
            session.close()

    async def _watch_turn(self, session: psycopg.Connection[Any], holding: anyio.CancelScope) -> None:
        def is_held() -> bool:
            try:
                session.execute("SELECT 1")
            except psycopg.Error:
                return False
            return True

        while True:
            await anyio.sleep(TURN_SECONDS)
            if not await anyio.to_thread.run_sync(is_held):
                holding.cancel()

    # --------------------------------------------------------------------------------------------------- the schema

    def _migrate(self) -> None:
        def prepare() -> None:
            with connect(self._url, self._schema) as connection:
                migrate(connection, self._schema, self._migrations)

        self._ask_patiently(prepare)

    def _look(self) -> DatabaseState:
        def look() -> DatabaseState:
            with connect(self._url, self._schema) as connection:
                version = connection.info.server_version
                present, known = schema_version(connection, self._migrations)
            return DatabaseState(f"{version // 10000}.{version % 10000}", present, known)

        return self._ask_patiently(look)

    def _ask_patiently(self, ask: Callable[[], Result]) -> Result:
        began = time.monotonic()
        while True:
            try:
                return ask()
            except psycopg.Error as error:
                passing = _is_away(error) and not _is_refused(error)
                if not passing or time.monotonic() - began >= self._patience:
                    raise _translate(error) from error
            time.sleep(0.2)


def _commit(connection: psycopg.Connection[Any], *, is_write: bool) -> None:
    try:
        connection.execute("COMMIT")
    except psycopg.Error as error:
        # If the server goes away, nobody knows how far it got; any other answer with a code is a refusal.
        if is_write and _is_away(error):
            raise _CommitUnansweredError from error
        raise


def _is_away(error: psycopg.Error) -> bool:
    """Return whether the server does not answer, has just ended the connection (class 57P) or is full (53300)."""
    if isinstance(error, errors.QueryCanceled):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(("08", "57P", "53300"))


def _is_refused(error: psycopg.Error) -> bool:
    """Return whether a connection failed because of its password, which waiting does not fix."""
    return error.pgconn is not None and (error.pgconn.used_password or error.pgconn.needs_password)


def _translate(error: psycopg.Error) -> InsituError:
    # libpq's message may have several lines; it names host, port and user of a connection, but never a password.
    message = " ".join(str(error).split())
    return _unavailable(message) if _is_away(error) else InsituError("StorageFailed", f"PostgreSQL: {message}")


def _unavailable(detail: str) -> InsituError:
    return InsituError("DatabaseUnavailable", f"PostgreSQL: {detail}")
