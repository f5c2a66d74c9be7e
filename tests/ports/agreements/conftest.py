"""Every adapter of ports/agreements.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.agreements import postgresql, sqlite
from insitu.adapters.sqlite import Database
from insitu.ports.agreements import Agreements
from tests.ports.stores import ENGINES, postgresql_database


@pytest.fixture(params=ENGINES)
async def agreements(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Agreements]:
    if request.param == "sqlite":
        async with Database(tmp_path / "gateway.db", sqlite.MIGRATIONS) as file:
            yield sqlite.SqliteAgreements(file)
    else:
        async with postgresql_database(request, postgresql.MIGRATIONS) as database:
            yield postgresql.PostgresqlAgreements(database)
