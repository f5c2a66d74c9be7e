"""A store that did not say when executions ended: what it had is kept for as long as if it had ended at the update."""

import shutil
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from insitu.adapters.executions.store import POSTGRESQL, SQLITE, SqlExecutions
from insitu.adapters.sql import Connection
from insitu.adapters.sql import Database as AnyDatabase
from insitu.adapters.sqlite import SqliteDatabase
from tests.ports.stores import ENGINES, new_schema, postgresql_database

HOUR = timedelta(hours=1)
INSERT = """
INSERT INTO executions (execution_id, agreement_id, version, live, settled, record, ticket)
VALUES (?, ?, 1, ?, ?, '{}', '')
"""
OF = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Packages of migrations as they were, by engine."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for engine, package in OF.items():
        (tmp_path / f"earlier_{engine}").mkdir()
        first = str(files(package).joinpath("0001_executions.sql"))
        shutil.copy(first, tmp_path / f"earlier_{engine}")
    return {engine: f"earlier_{engine}" for engine in OF}


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_had_ended_goes_one_retention_after_the_update(
    engine: str, earlier: dict[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    schema = new_schema()

    def opened(package: str) -> AbstractAsyncContextManager[AnyDatabase]:
        if engine == "sqlite":
            return SqliteDatabase(tmp_path / "operator.db", package)
        return postgresql_database(request, package, schema)

    def write(connection: Connection) -> None:
        connection.execute(INSERT, ("ended", "a", 0, 1))
        connection.execute(INSERT, ("live", "b", 1, 0))

    async with opened(earlier[engine]) as before:
        await before.write(write)
    async with opened(OF[engine]) as after:
        executions, now = SqlExecutions(after), datetime.now(UTC)
        assert await executions.ended_before(now - HOUR) == ()
        assert await executions.ended_before(now + HOUR) == ("ended",)
