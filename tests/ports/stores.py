"""Where the contract suites of catalogue, agreements and executions keep their stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from insitu.adapters.postgresql import Database
from insitu.testing.postgresql import PostgresqlServer

__all__ = ["ENGINES", "new_schema", "postgresql_database", "two_of_one_schema"]

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]

_numbers = count(1)


def new_schema() -> str:
    """The name of a schema that no other test uses."""
    return f"store_{next(_numbers)}"


@asynccontextmanager
async def two_of_one_schema(
    request: pytest.FixtureRequest, migrations: str
) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes' ways to one schema."""
    schema = new_schema()
    async with (
        postgresql_database(request, migrations, schema) as one,
        postgresql_database(request, migrations, schema) as other,
    ):
        yield one, other


def postgresql_database(request: pytest.FixtureRequest, migrations: str, schema: str | None = None) -> Database:
    """A schema of the tests' one server; made at its first use."""
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return Database(server.url, schema or new_schema(), migrations)
