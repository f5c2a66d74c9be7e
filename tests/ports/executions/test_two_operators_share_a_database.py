"""Two operators on one PostgreSQL database, at the same time."""

from collections.abc import AsyncIterator

import anyio
import pytest

from insitu.adapters.executions.store import POSTGRESQL, SqlExecutions
from insitu.domain.errors import InsituError
from insitu.domain.execution_changes import registered
from tests.doubles.clock import START
from tests.doubles.plans import plan_of
from tests.ports.stores import two_of_one_schema

pytestmark = pytest.mark.needs("postgresql")

Two = tuple[SqlExecutions, SqlExecutions]
MANY = 12


@pytest.fixture
async def two(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    async with two_of_one_schema(request, POSTGRESQL) as (one, other):
        yield SqlExecutions(one), SqlExecutions(other)


async def test_one_execution_of_an_agreement_is_created(two: Two) -> None:
    created: list[str] = []

    async def create(number: int) -> None:
        try:
            made = await two[number % 2].create(registered(plan_of(number=number), START), "ticket")
            created.append(made.execution_id)
        except InsituError as error:
            assert error.code == "ExecutionInProgress"

    async with anyio.create_task_group() as tasks:
        for number in range(MANY):
            tasks.start_soon(create, number)
    assert [one.execution_id for one in await two[0].list()] == created
    assert len(created) == 1


async def test_the_same_registration_twice_at_once_is_one_record_with_one_ticket(two: Two) -> None:
    records = []

    async def create(number: int) -> None:
        records.append(await two[number % 2].create(registered(plan_of(), START), f"ticket {number}"))

    async with anyio.create_task_group() as tasks:
        for number in range(MANY):
            tasks.start_soon(create, number)
    (stored,) = await two[1].list()
    assert records == [stored] * MANY
    assert await two[0].ticket(stored.execution_id) == await two[1].ticket(stored.execution_id)


async def test_of_many_changes_of_one_version_one_is_stored(two: Two) -> None:
    first = await two[0].create(registered(plan_of(), START), "ticket")
    stored: list[int] = []

    async def change(reported: int) -> None:
        if await two[reported % 2].replace(first.model_copy(update={"reported": reported, "version": 2})):
            stored.append(reported)

    async with anyio.create_task_group() as tasks:
        for reported in range(MANY):
            tasks.start_soon(change, reported)
    present = await two[1].get(first.execution_id)
    assert present is not None
    assert stored == [present.reported]
