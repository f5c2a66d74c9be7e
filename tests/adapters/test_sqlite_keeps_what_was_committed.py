"""An actor's database file: migrations, one writer, snapshots, errors."""

import sqlite3
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import pytest

from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.errors import InsituError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "packages" / "sample_migrations"
    folder.mkdir(parents=True)
    (folder / "0001_start.sql").write_text(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n"
        "CREATE TABLE copy (text TEXT);\n"
        "CREATE TRIGGER copied AFTER INSERT ON note BEGIN\n  INSERT INTO copy VALUES (new.text);\nEND;\n"
    )
    monkeypatch.syspath_prepend(str(folder.parent))
    return "sample_migrations"


def add(text: str | None) -> object:
    return lambda connection: connection.execute("INSERT INTO note (text) VALUES (?)", (text,))


def notes(connection: sqlite3.Connection) -> list[str]:
    return [row["text"] for row in connection.execute("SELECT text FROM note ORDER BY id")]


def migrate(tmp_path: Path, package: str, name: str, script: str) -> None:
    (tmp_path / "packages" / package / name).write_text(script)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("notes.db*")}


async def test_what_was_written_is_there_after_opening_again(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "folder" / "notes.db", package) as database:
        await database.write(add("one"))
    async with SqliteDatabase(tmp_path / "folder" / "notes.db", package) as database:
        assert await database.read(notes) == ["one"]


async def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:

        def fails(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO note (text) VALUES ('lost')")
            raise InsituError("NotFound")

        with pytest.raises(InsituError, match="NotFound"):
            await database.write(fails)
        assert await database.read(notes) == []
        await database.write(add("kept"))
        assert await database.read(notes) == ["kept"]


async def test_migrations_are_applied_once_and_in_order(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        await database.write(add("old"))
    migrate(tmp_path, package, "0002_more.sql", "ALTER TABLE note ADD COLUMN stars INTEGER NOT NULL DEFAULT 3;")
    for _ in range(2):
        async with SqliteDatabase(tmp_path / "notes.db", package) as database:
            rows = await database.read(lambda c: [tuple(row) for row in c.execute("SELECT text, stars FROM note")])
            assert rows == [("old", 3)]


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        await database.write(add("old"))
    migrate(tmp_path, package, "0002_more.sql", "CREATE TABLE extra (id);\nCREATE TABLE note (id);")
    with pytest.raises(InsituError, match="StorageFailed"):
        await SqliteDatabase(tmp_path / "notes.db", package).open()
    migrate(tmp_path, package, "0002_more.sql", "CREATE TABLE extra (id);")
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        assert await database.read(notes) == ["old"]


async def test_a_gap_in_the_numbers_of_the_migrations_is_refused(tmp_path: Path, package: str) -> None:
    migrate(tmp_path, package, "0003_gap.sql", "CREATE TABLE extra (id);")
    with pytest.raises(InsituError, match="0002"):
        await SqliteDatabase(tmp_path / "notes.db", package).open()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        await database.write(lambda connection: connection.execute("PRAGMA user_version = 9"))
    with pytest.raises(InsituError, match="SchemaTooNew"):
        await SqliteDatabase(tmp_path / "notes.db", package).read(notes)


async def test_a_read_cannot_write(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        with pytest.raises(InsituError, match="StorageFailed"):
            await database.read(add("no"))
        assert await database.read(notes) == []


async def test_what_sqlite_refuses_is_a_storage_error(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        with pytest.raises(InsituError, match="StorageFailed"):
            await database.write(add(None))
    with pytest.raises(InsituError, match="StorageFailed"):
        await SqliteDatabase(tmp_path, package).open()


async def test_many_writers_and_readers_at_once_lose_nothing(tmp_path: Path, package: str) -> None:
    async with (
        SqliteDatabase(tmp_path / "notes.db", package) as one,
        SqliteDatabase(tmp_path / "notes.db", package) as other,
        anyio.create_task_group() as tasks,
    ):
        for number in range(40):
            tasks.start_soon((one, other)[number % 2].write, add(str(number)))
            tasks.start_soon(one.read, notes)
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        assert sorted(map(int, await database.read(notes))) == list(range(40))


async def test_only_the_owner_of_the_process_may_read_the_file(tmp_path: Path, package: str) -> None:
    async with SqliteDatabase(tmp_path / "notes.db", package) as database:
        await database.write(add("secret"))
        assert modes(tmp_path) == {"notes.db": 0o600, "notes.db-shm": 0o600, "notes.db-wal": 0o600}


async def test_looking_into_the_file_deletes_nothing(tmp_path: Path, package: str) -> None:
    """POSIX locks belong to the process: closing any descriptor of the file releases those of all connections.

    Then another process believes that nobody is left, and deletes the journal into which this one goes on to write.
    """
    path = tmp_path / "notes.db"
    async with SqliteDatabase(path, package) as database:
        await database.write(add("before"))
        assert await database.read(notes) == ["before"], "a second connection is opened"
        assert await seen_by_another_process(path) == "[('before',)]"
        await database.write(add("after"))
        assert await seen_by_another_process(path) == "[('before',), ('after',)]"


async def seen_by_another_process(path: Path) -> str:
    look = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT text FROM note').fetchall())"
    ended = await anyio.run_process([sys.executable, "-c", look, str(path)])
    return ended.stdout.decode().strip()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Return a list that every connection opened from now on is added to."""
    connections: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connections.append(connect(*arguments, **named))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    return connections


def still_open(connections: list[sqlite3.Connection]) -> list[sqlite3.Connection]:
    def is_open(connection: sqlite3.Connection) -> bool:
        try:
            connection.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            return False
        return True

    return [one for one in connections if is_open(one)]


async def test_a_file_that_cannot_be_opened_leaves_no_connection_open(
    tmp_path: Path, package: str, opened: list[sqlite3.Connection]
) -> None:
    (tmp_path / "notes.db").write_bytes(b"this is no database, and longer than the header of one" * 20)
    with pytest.raises(InsituError, match="StorageFailed"):
        await SqliteDatabase(tmp_path / "notes.db", package).open()
    assert len(opened) == 1
    assert still_open(opened) == []


async def test_a_query_that_ends_after_the_close_leaves_no_connection_open(
    tmp_path: Path, package: str, opened: list[sqlite3.Connection]
) -> None:
    database = await SqliteDatabase(tmp_path / "notes.db", package).open()
    reading, closed = anyio.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> list[str]:
        anyio.from_thread.run_sync(reading.set)
        assert closed.wait(30)
        return notes(connection)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(database.read, slow)
        await reading.wait()
        await database.close()
        closed.set()
    assert len(opened) == 2
    assert still_open(opened) == []
