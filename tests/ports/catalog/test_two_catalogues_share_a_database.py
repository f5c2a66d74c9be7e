"""Two metadata services on one PostgreSQL database, at the same time."""

from collections.abc import AsyncIterator

import anyio
import pytest

from insitu.adapters.catalog.postgresql import MIGRATIONS, PostgresqlCatalog
from insitu.domain.errors import InsituError
from insitu.ports.catalog import Query, WaitingPlace
from tests.ports.catalog.catalogue_samples import NOW, block, did, registered, version
from tests.ports.stores import new_schema, postgresql_database

pytestmark = pytest.mark.needs("postgresql")

Two = tuple[PostgresqlCatalog, PostgresqlCatalog]


@pytest.fixture
async def two(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    schema = new_schema()
    one, other = (PostgresqlCatalog(postgresql_database(request, MIGRATIONS, schema)) for _ in range(2))
    yield one, other
    await one.close()
    await other.close()


async def test_a_key_stands_for_one_asset_whoever_is_asked(two: Two) -> None:
    answers: list[str] = []

    async def publish(number: int) -> None:
        record = await two[number % 2].put(version(number), NOW, key="the same")
        answers.append(record.did)

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(publish, number)
    assert len(answers) == 12
    assert len(set(answers)) == 1


async def test_the_limit_of_pending_versions_holds_for_both_together(two: Two) -> None:
    refused: list[str] = []

    async def publish(number: int) -> None:
        try:
            await two[number % 2].put(version(number), NOW, place=WaitingPlace(share=5))
        except InsituError as error:
            refused.append(error.code)

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(publish, number)
    assert refused == ["PendingShareUsed"] * 7


async def test_both_follow_the_chain_and_documents_come_meanwhile(two: Two) -> None:
    assets = [version(number) for number in range(1, 21)]
    blocks = [block(number, registered(asset)) for number, asset in enumerate(assets, start=1)]

    async def follow(number: int) -> None:
        for one in blocks:
            await two[number].apply([one], NOW)

    async def publish(number: int) -> None:
        for asset in assets[number::2]:
            await two[number].put(asset, NOW)

    async with anyio.create_task_group() as tasks:
        for number in (0, 1):
            tasks.start_soon(follow, number)
            tasks.start_soon(publish, number)
    expected = tuple(did(number) for number in range(1, 21))
    for one in two:
        assert await one.dids() == expected
        assert (await one.search(Query(words=("flights",), service="compute"))).total == 20
