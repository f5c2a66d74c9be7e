"""Every adapter of ports/agreements.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.agreements.sqlite import MIGRATIONS, SqliteAgreements
from insitu.adapters.sqlite import Database
from insitu.ports.agreements import Agreements


@pytest.fixture(params=["sqlite"])
async def agreements(tmp_path: Path) -> AsyncIterator[Agreements]:
    async with Database(tmp_path / "gateway.db", MIGRATIONS) as database:
        yield SqliteAgreements(database)
