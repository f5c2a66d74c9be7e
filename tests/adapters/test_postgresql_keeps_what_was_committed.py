"""An actor's schema in PostgreSQL: migrations, serializable transactions, a server that ends, the turn to work."""

import threading
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.postgresql import PostgresqlDatabase
from insitu.adapters.sql import Connection
from insitu.domain.errors import InsituError
from tests.doubles.postgresql import PostgresqlServer, running_postgresql

pytestmark = pytest.mark.needs("postgresql")

SCHEMAS = (f"opener_{number}" for number in count())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "packages" / "sample_schema"
    folder.mkdir(parents=True)
    (folder / "0001_start.sql").write_text(
        "CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL);\n"
        "CREATE TABLE account (name text PRIMARY KEY, amount bigint NOT NULL);\n"
    )
    monkeypatch.syspath_prepend(str(folder.parent))
    return "sample_schema"


@pytest.fixture
def schema() -> str:
    return next(SCHEMAS)


@pytest.fixture
async def database(postgresql: PostgresqlServer, schema: str, package: str) -> AsyncIterator[PostgresqlDatabase]:
    async with PostgresqlDatabase(postgresql.url, schema, package) as opened:
        yield opened


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresqlServer]:
    """A server that a test may kill."""
    with running_postgresql() as server:
        yield server


def add(text: str | None) -> Any:
    return lambda connection: connection.execute("INSERT INTO note (text) VALUES (?)", (text,))


def notes(connection: Connection) -> list[str]:
    return [row["text"] for row in connection.execute("SELECT text FROM note ORDER BY id").fetchall()]


def migrate(tmp_path: Path, package: str, name: str, script: str) -> None:
    (tmp_path / "packages" / package / name).write_text(script)


async def test_what_was_written_is_there_after_opening_again(
    postgresql: PostgresqlServer, schema: str, package: str
) -> None:
    async with PostgresqlDatabase(postgresql.url, schema, package) as database:
        await database.write(add("50 % of ?"))
    async with PostgresqlDatabase(postgresql.url, schema, package) as database:
        assert await database.read(notes) == ["50 % of ?"]


async def test_parameters_and_columns_have_positions_or_names(database: PostgresqlDatabase) -> None:
    def ask(connection: Connection) -> tuple[Any, ...]:
        row = connection.execute("SELECT :one::text AS a, 100 % 30 AS b, :one || :two AS c", {"one": "x", "two": "y"})
        found = row.fetchone()
        return found["a"], found[1], found["c"], *found

    assert await database.read(ask) == ("x", 10, "xy", "x", 10, "xy")


async def test_a_transaction_that_raises_leaves_nothing(database: PostgresqlDatabase) -> None:
    def fails(connection: Connection) -> None:
        connection.execute("INSERT INTO note (text) VALUES ('lost')")
        raise InsituError("NotFound")

    with pytest.raises(InsituError, match="NotFound"):
        await database.write(fails)
    assert await database.read(notes) == []


async def test_migrations_are_applied_once_and_in_order_by_many_at_once(
    postgresql: PostgresqlServer, schema: str, package: str, tmp_path: Path
) -> None:
    async with PostgresqlDatabase(postgresql.url, schema, package) as database:
        await database.write(add("old"))
    migrate(tmp_path, package, "0002_more.sql", "ALTER TABLE note ADD COLUMN stars integer NOT NULL DEFAULT 3;")
    several = [PostgresqlDatabase(postgresql.url, schema, package) for _ in range(6)]
    async with anyio.create_task_group() as tasks:
        for opened in several:
            tasks.start_soon(opened.open)
    rows = await several[0].read(lambda c: [tuple(row) for row in c.execute("SELECT text, stars FROM note").fetchall()])
    assert rows == [("old", 3)]
    condition = await several[0].condition()
    assert (condition.schema, condition.known) == (2, 2)
    for opened in several:
        await opened.close()


async def test_a_migration_that_fails_changes_nothing(
    postgresql: PostgresqlServer, schema: str, package: str, tmp_path: Path
) -> None:
    async with PostgresqlDatabase(postgresql.url, schema, package) as database:
        await database.write(add("old"))
    migrate(tmp_path, package, "0002_more.sql", "CREATE TABLE extra (id int);\nCREATE TABLE note (id int);")
    with pytest.raises(InsituError, match="StorageFailed"):
        await PostgresqlDatabase(postgresql.url, schema, package).open()
    migrate(tmp_path, package, "0002_more.sql", "CREATE TABLE extra (id int);")
    async with PostgresqlDatabase(postgresql.url, schema, package) as database:
        assert await database.read(notes) == ["old"]


async def test_a_schema_of_a_newer_version_is_refused(
    database: PostgresqlDatabase, postgresql: PostgresqlServer
) -> None:
    await database.write(lambda connection: connection.execute("INSERT INTO migration (number) VALUES (9)"))
    again = PostgresqlDatabase(postgresql.url, database._schema, database._migrations)
    with pytest.raises(InsituError, match="SchemaTooNew"):
        await again.read(notes)
    assert (await again.condition()).schema == 9


async def test_looking_at_a_database_creates_nothing(postgresql: PostgresqlServer, schema: str, package: str) -> None:
    condition = await PostgresqlDatabase(postgresql.url, schema, package).condition()
    assert (condition.schema, condition.known) == (0, 1)
    assert condition.server.split(".")[0].isdigit()
    async with PostgresqlDatabase(postgresql.url, next(SCHEMAS), package) as database:
        asked = f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'"
        assert await database.read(lambda c: c.execute(asked).fetchall()) == []


async def test_a_read_cannot_write(database: PostgresqlDatabase) -> None:
    with pytest.raises(InsituError, match="StorageFailed"):
        await database.read(add("no"))
    assert await database.read(notes) == []


async def test_what_postgresql_refuses_is_a_storage_error(database: PostgresqlDatabase) -> None:
    with pytest.raises(InsituError, match="StorageFailed"):
        await database.write(add(None))
    await database.write(add("goes on"))


async def test_when_two_add_the_same_row_the_second_finds_it(database: PostgresqlDatabase) -> None:
    meeting = threading.Barrier(2, timeout=30)
    attempts: list[bool] = []

    def ensure(connection: Connection) -> bool:
        found = connection.execute("SELECT 1 FROM account WHERE name = 'a'").fetchone()
        if len(attempts) < 2:
            attempts.append(True)
            meeting.wait()
        if found is None:
            connection.execute("INSERT INTO account VALUES ('a', 1)")
        return found is None

    made: list[bool] = []

    async def run() -> None:
        made.append(await database.write(ensure))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        tasks.start_soon(run)
    assert sorted(made) == [False, True]


async def test_transactions_that_would_conflict_run_one_after_the_other(
    database: PostgresqlDatabase, postgresql: PostgresqlServer
) -> None:
    """Each adds the largest number plus one: a gap or a duplicate would show that two saw the same largest number."""
    other = PostgresqlDatabase(postgresql.url, database._schema, database._migrations)

    def count_on(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO account SELECT 'n' || (count(*) + 1), coalesce(max(amount), 0) + 1 FROM account"
        )

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon((database, other)[number % 2].write, count_on)
    amounts = await other.read(lambda c: [row[0] for row in c.execute("SELECT amount FROM account").fetchall()])
    assert sorted(amounts) == list(range(1, 41))
    await other.close()


@pytest.mark.parametrize("url", ["postgresql://u:s3cret%zz@h/d", "postgresql://u:s3cret@h:x/d?s3cret", "s3cret s3cret"])
async def test_a_url_that_cannot_be_read_is_refused_and_not_quoted(url: str, package: str) -> None:
    with pytest.raises(InsituError) as refusal:
        await PostgresqlDatabase(url, "any", package, patience=0).open()
    assert refusal.value.code in {"SettingsInvalid", "DatabaseUnavailable", "StorageFailed"}
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.code != "SettingsInvalid"


async def test_a_missing_server_is_a_temporary_error(tmp_path: Path, package: str) -> None:
    with pytest.raises(InsituError, match="DatabaseUnavailable") as refusal:
        await PostgresqlDatabase(f"postgresql://u@/d?host={tmp_path}", "any", package, patience=0.1).open()
    assert refusal.value.definition.retry


@pytest.mark.slow
async def test_a_killed_server_loses_nothing_that_was_acknowledged(
    own_server: PostgresqlServer, schema: str, package: str
) -> None:
    """Writers go on while the server is killed and started again, twice; their errors say why."""
    acknowledged: list[str] = []
    refusals: set[str] = set()
    numbers = count()
    over = anyio.Event()
    database = await PostgresqlDatabase(own_server.url, schema, package, patience=30).open()

    async def write() -> None:
        text = str(next(numbers))
        try:
            await database.write(add(text))
        except InsituError as error:
            refusals.add(error.code)
        else:
            acknowledged.append(text)

    async def write_on() -> None:
        while not over.is_set():
            await write()

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(write_on)
        for _ in range(2):
            for _ in range(20):
                await write()
            own_server.kill()
            own_server.start()
        for _ in range(20):
            await write()
        over.set()
    kept = await database.read(notes)
    assert set(acknowledged) <= set(kept)
    assert len(acknowledged) > 50
    assert refusals <= {"DatabaseUnavailable"}
    await database.close()


@pytest.mark.slow
async def test_an_impatient_caller_learns_that_the_database_is_away_and_the_next_is_served(
    own_server: PostgresqlServer, schema: str, package: str
) -> None:
    database = await PostgresqlDatabase(own_server.url, schema, package, patience=0.2).open()
    await database.write(add("before"))
    own_server.stop()
    with pytest.raises(InsituError, match="DatabaseUnavailable"):
        await database.read(notes)
    own_server.start()
    assert await database.read(notes) == ["before"]
    await database.close()


async def test_one_process_works_at_a_time_and_the_next_when_it_is_done(
    database: PostgresqlDatabase, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.adapters.postgresql.TURN_SECONDS", 0.05)
    other = PostgresqlDatabase(postgresql.url, database._schema, database._migrations)
    working, seen = 0, []

    async def work() -> None:
        nonlocal working
        working += 1
        seen.append(working)
        await anyio.sleep(0.2)
        working -= 1

    async with anyio.create_task_group() as tasks:
        for worker in (database, other, database):
            tasks.start_soon(worker.work_alone, work)
    assert seen == [1, 1, 1]
    await other.close()


async def test_a_process_that_loses_its_session_stops_and_waits_for_its_turn_again(
    database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.adapters.postgresql.TURN_SECONDS", 0.05)
    begun: list[int] = []
    twice = anyio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) == 2:
            twice.set()
            return
        # The server ends the session that holds the lock, as in a restart.
        ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        await database.read(lambda c: c.execute(ended).fetchall())
        await anyio.sleep_forever()

    with anyio.fail_after(30):
        await database.work_alone(work)
    assert twice.is_set()


async def test_a_role_needs_no_more_than_its_own_schema(
    database: PostgresqlDatabase, postgresql: PostgresqlServer, package: str
) -> None:
    role = next(SCHEMAS)
    await database.write(lambda c: c.execute(f"CREATE ROLE {role} LOGIN"))
    await database.write(lambda c: c.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}"))
    async with PostgresqlDatabase(postgresql.url.replace("insitu@", f"{role}@"), role, package) as its_own:
        await its_own.write(add("mine"))
        assert await its_own.read(notes) == ["mine"]
        with pytest.raises(InsituError, match="StorageFailed"):
            await its_own.read(lambda c: c.execute(f"SELECT * FROM {database._schema}.note").fetchall())


@pytest.mark.slow
async def test_a_wrong_password_is_reported_at_once_and_not_tried_again(
    own_server: PostgresqlServer, schema: str, package: str
) -> None:
    async with PostgresqlDatabase(own_server.url, schema, package) as database:
        await database.write(lambda c: c.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'"))
    own_server.stop()
    rules = own_server.folder / "data" / "pg_hba.conf"
    rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
    own_server.start()
    url = own_server.url.replace("insitu@", "guarded:hunter2@")
    with pytest.raises(InsituError, match=r"DatabaseUnavailable: .*password") as refusal:
        await PostgresqlDatabase(url, "any", package, patience=3600).open()
    assert "hunter2" not in str(refusal.value)
