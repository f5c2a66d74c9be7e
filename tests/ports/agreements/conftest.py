"""Every adapter of ports/agreements.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.agreements.store import POSTGRESQL, SQLITE, SqlAgreements
from insitu.adapters.sqlite import SqliteDatabase
from insitu.ports.agreements import Agreements
from tests.ports.stores import ENGINES, postgresql_database


@pytest.fixture(params=ENGINES)
async def agreements(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Agreements]:
    if request.param == "sqlite":
        async with SqliteDatabase(tmp_path / "gateway.db", SQLITE) as file:
            yield SqlAgreements(file)
    else:
        async with postgresql_database(request, POSTGRESQL) as database:
            yield SqlAgreements(database)
