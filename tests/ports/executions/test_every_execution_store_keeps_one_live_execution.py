"""The contract of ports/executions.py, over every adapter."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest

from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.executions.store import POSTGRESQL, SQLITE, SqlExecutions
from insitu.adapters.kubernetes import Cluster
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, Reason, StopRequest, Transition
from insitu.domain.execution_changes import registered
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import Captured, released
from insitu.ports.executions import Decide, Executions
from tests.cluster.objects import RECORDS, empty_store
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, plan_of, stage_of
from tests.ports.stores import ENGINES, postgresql_database

pytestmark = pytest.mark.parametrize(
    "engine",
    [*ENGINES, pytest.param("kubernetes", marks=pytest.mark.needs("cluster", "root"))],
    indirect=True,
)

OTHER = AgreementId("0b" * 32)
TICKET = "a-ticket-that-nobody-else-may-see"


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> tuple[str, Path | None]:
    """Its name; of a cluster with an empty namespace for records the kubeconfig too."""
    found = empty_store(request.getfixturevalue("cluster")) if request.param == "kubernetes" else None
    return request.param, found


@pytest.fixture
async def executions(
    engine: tuple[str, Path | None], request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Executions]:
    name, kubeconfig = engine
    if name == "sqlite":
        async with SqliteDatabase(tmp_path / "operator.db", SQLITE) as file:
            yield SqlExecutions(file)
    elif name == "postgresql":
        async with postgresql_database(request, POSTGRESQL) as database:
            yield SqlExecutions(database)
    else:
        async with Cluster(kubeconfig, RECORDS, failure="StorageFailed") as cluster:
            yield KubernetesExecutions(cluster)


def ended(execution: Execution, *, cleaned: bool = True) -> Execution:
    reason = Reason(code="StoppedByConsumer", message="stopped by the consumer")
    last = Transition(sequence=len(execution.history) + 1, phase=Phase.STOPPED, at=START, reason=reason)
    return execution.model_copy(
        update={
            "phase": Phase.STOPPED,
            "history": (*execution.history, last),
            "cleaned": cleaned,
            "version": execution.version + 1,
        }
    )


def nth(number: int, agreement: AgreementId = AGREEMENT) -> Execution:
    return registered(plan_of(agreement=agreement, number=number), START)


async def test_a_record_comes_back_as_it_was_stored(executions: Executions) -> None:
    written = registered(plan_of(stage_of(0), stage_of(3, previous=0)), START)
    assert await executions.create(written, TICKET) == written
    assert await executions.get(written.execution_id) == written


async def test_an_unknown_execution_is_none_and_has_no_ticket(executions: Executions) -> None:
    assert await executions.get(ExecutionId("wx" + "a" * 26)) is None
    assert await executions.ticket(ExecutionId("wx" + "a" * 26)) == ""


async def test_creating_again_returns_what_is_there_and_changes_nothing(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    later = registered(plan_of(), START + timedelta(hours=1))
    assert await executions.create(later, "another") == first
    assert await executions.ticket(first.execution_id) == TICKET


def up_to(size: int) -> Decide:
    return partial(released, wanted=(Captured(0, 1, size),))


async def test_what_is_released_of_logs_is_beside_the_record(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    assert (await executions.release(first.execution_id, up_to(7))).total == 7
    assert (await executions.release(first.execution_id, up_to(5))).total == 7
    assert await executions.replace(ended(first, cleaned=False)), "reading a line does not change the record"
    assert (await executions.release(first.execution_id, up_to(9))).end(0, 1) == 9
    assert await executions.replace(ended(first).model_copy(update={"version": first.version + 2}))
    assert (await executions.release(first.execution_id, up_to(0))).total == 9
    await executions.remove(first.execution_id)
    for gone in (first.execution_id, ExecutionId("wx" + "a" * 26)):
        with pytest.raises(InsituError, match="ExecutionUnknown"):
            await executions.release(gone, up_to(1))


async def test_a_rejection_that_is_stored_releases_nothing_more(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    await executions.release(first.execution_id, up_to(7))
    reason = Reason(code="OutputRejected", message="WrongType")
    outcome = Transition(sequence=2, phase=Phase.FAILED, at=START, reason=reason)
    assert await executions.replace(first.model_copy(update={"outcome": outcome, "version": 2}))
    assert (await executions.release(first.execution_id, up_to(3))).end(0, 1) == 0


async def test_of_many_who_release_at_once_nobody_is_forgotten(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)

    async def release(attempt: int) -> None:
        await executions.release(first.execution_id, partial(released, wanted=(Captured(0, attempt, 10),)))

    async with anyio.create_task_group() as tasks:
        for attempt in range(1, 9):
            tasks.start_soon(release, attempt)
    assert (await executions.release(first.execution_id, released)).total == 80


async def test_an_agreement_has_one_live_execution(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    with pytest.raises(InsituError, match="ExecutionInProgress") as refusal:
        await executions.create(nth(1), TICKET)
    assert refusal.value.context == {"executionId": first.execution_id}
    await executions.create(nth(0, OTHER), TICKET)
    assert await executions.replace(ended(first, cleaned=False))
    await executions.create(nth(1), TICKET)


async def test_of_many_callers_at_once_one_starts_an_execution(executions: Executions) -> None:
    started: list[int] = []

    async def start(number: int) -> None:
        try:
            await executions.create(nth(number), TICKET)
            started.append(number)
        except InsituError as error:
            assert error.code == "ExecutionInProgress"

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(start, number)
    assert len(started) == 1
    assert len(await executions.list()) == 1


async def test_a_change_is_stored_once_for_each_version(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    stop = StopRequest(by="consumer", at=START)
    changed = first.model_copy(update={"stop": stop, "version": 2})
    assert await executions.replace(changed)
    assert not await executions.replace(changed)
    assert not await executions.replace(first.model_copy(update={"version": 4}))
    assert await executions.get(first.execution_id) == changed


async def test_of_many_changes_of_one_version_one_is_stored(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    stored: list[int] = []

    async def change(reported: int) -> None:
        if await executions.replace(first.model_copy(update={"reported": reported, "version": 2})):
            stored.append(reported)

    async with anyio.create_task_group() as tasks:
        for reported in range(12):
            tasks.start_soon(change, reported)
    present = await executions.get(first.execution_id)
    assert present is not None
    assert stored == [present.reported]


async def test_a_change_of_an_unknown_execution_is_not_stored(executions: Executions) -> None:
    assert not await executions.replace(nth(0).model_copy(update={"version": 2}))
    assert await executions.list() == ()


async def test_unsettled_are_those_with_work_left_in_the_order_of_creation(executions: Executions) -> None:
    agreements = [AgreementId(f"{n:02x}" * 32) for n in (9, 3, 7, 1)]
    made = [await executions.create(nth(0, agreement), TICKET) for agreement in agreements]
    await executions.replace(ended(made[1]))
    await executions.replace(ended(made[2], cleaned=False))
    assert [each.agreement_id for each in await executions.unsettled()] == [agreements[0], agreements[2], agreements[3]]


async def test_the_list_is_newest_first_and_of_one_agreement_if_wanted(executions: Executions) -> None:
    first = ended(await executions.create(nth(0), TICKET))
    await executions.replace(first)
    other = await executions.create(nth(0, OTHER), TICKET)
    second = await executions.create(nth(1), TICKET)
    assert await executions.list() == (second, other, first)
    assert await executions.list(AGREEMENT) == (second, first)
    assert await executions.list(AgreementId("77" * 32)) == ()


async def test_the_ticket_is_beside_the_record_and_gone_when_the_execution_is_settled(executions: Executions) -> None:
    first = await executions.create(nth(0), TICKET)
    assert TICKET not in first.model_dump_json()
    over = ended(first, cleaned=False)
    await executions.replace(over)
    assert await executions.ticket(first.execution_id) == TICKET
    await executions.replace(over.model_copy(update={"cleaned": True, "version": over.version + 1}))
    assert await executions.ticket(first.execution_id) == ""


def ended_at(execution: Execution, days: int, *, cleaned: bool = True) -> Execution:
    over = ended(execution, cleaned=cleaned)
    last = over.history[-1].model_copy(update={"at": START + timedelta(days=days)})
    return over.model_copy(update={"history": (*over.history[:-1], last)})


async def test_those_that_ended_before_a_moment_come_the_longest_gone_first(executions: Executions) -> None:
    agreements = [AgreementId(f"{n:02x}" * 32) for n in (9, 3, 7, 1, 5)]
    made = [await executions.create(nth(0, agreement), TICKET) for agreement in agreements]
    for execution, days in zip(made, (4, 2, 3), strict=False):
        await executions.replace(ended_at(execution, days))
    await executions.replace(ended_at(made[3], 1, cleaned=False))
    assert await executions.ended_before(START) == ()
    assert await executions.ended_before(START + timedelta(days=3)) == (made[1].execution_id,)
    later = START + timedelta(days=9)
    assert await executions.ended_before(later) == (made[1].execution_id, made[2].execution_id, made[0].execution_id)


async def test_only_a_settled_execution_can_be_removed(executions: Executions) -> None:
    settled = await executions.create(nth(0), TICKET)
    await executions.replace(ended(settled))
    live = await executions.create(nth(0, OTHER), TICKET)
    for execution in (settled, settled, live):
        await executions.remove(execution.execution_id)
    assert await executions.get(settled.execution_id) is None
    assert await executions.list() == (live,)
    assert await executions.ticket(live.execution_id) == TICKET
    assert await executions.ended_before(START + timedelta(days=9)) == ()
