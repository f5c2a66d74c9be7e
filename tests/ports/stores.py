"""Where the contract suites keep their stores: rows in databases, bytes in buckets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from insitu.adapters.object_store import Access, Objects
from insitu.adapters.postgresql import PostgresqlDatabase
from tests.doubles.object_store import ObjectStoreServer
from tests.doubles.postgresql import PostgresqlServer

__all__ = [
    "BUCKET",
    "ENGINES",
    "access_to",
    "new_bucket",
    "new_schema",
    "objects_in",
    "postgresql_database",
    "two_of_one_schema",
]

BUCKET = pytest.param("bucket", marks=pytest.mark.needs("object-store"))
PART = 5 * 1024 * 1024
"""The smallest part of an upload that S3 takes."""
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]

_numbers = count(1)


def new_schema() -> str:
    """The name of a schema that no other test uses."""
    return f"store_{next(_numbers)}"


@asynccontextmanager
async def two_of_one_schema(
    request: pytest.FixtureRequest, migrations: str
) -> AsyncIterator[tuple[PostgresqlDatabase, PostgresqlDatabase]]:
    """Two processes' ways to one schema."""
    schema = new_schema()
    async with (
        postgresql_database(request, migrations, schema) as one,
        postgresql_database(request, migrations, schema) as other,
    ):
        yield one, other


def postgresql_database(
    request: pytest.FixtureRequest, migrations: str, schema: str | None = None
) -> PostgresqlDatabase:
    """A schema of the tests' one server; made at its first use."""
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return PostgresqlDatabase(server.url, schema or new_schema(), migrations)


def access_to(server: ObjectStoreServer, patience: float = 20.0) -> Access:
    """How a test reaches its server."""
    return Access(endpoint=server.endpoint, credentials_file=server.credentials_file(), patience=patience)


def new_bucket(server: ObjectStoreServer) -> str:
    """The url of a prefix in a bucket that no other test uses."""
    return server.create_bucket(f"bucket-{next(_numbers)}") + "/some/prefix"


def objects_in(request: pytest.FixtureRequest) -> Objects:
    """A bucket of the tests' one server, with small parts."""
    server: ObjectStoreServer = request.getfixturevalue("object_store")
    objects = Objects.at(new_bucket(server), access_to(server))
    objects.part = PART
    return objects
