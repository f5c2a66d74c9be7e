"""The contract of OperatorPeer in ports/peers.py: the object itself, and the same one in another process over HTTP."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
import uvicorn

from insitu.adapters.clock import SystemClock
from insitu.adapters.peers.operator import HttpOperator
from insitu.api.app import build_app
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, StepKey, StepKind
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan
from insitu.operator.routes import router
from insitu.ports.peers import Capacity, LogKey, OperatorPeer
from insitu.sdk.http import Http
from insitu.testing.plans import AGREEMENT, plan_of
from insitu.testing.recording_gateway import RecordingGateway
from insitu.testing.registrations import registration_of
from insitu.testing.scripted_operator import CAPACITY, ScriptedOperator, scripted_operator
from insitu.testing.scripted_runtime import Ending

KEY = "a-service-key-of-a-test"
OTHER = AgreementId("0b" * 32)
NOBODY = ExecutionId("wx" + "a" * 26)
FIRST = LogKey(stage=0, attempt=1)
COMPUTE = StepKey(StepKind.COMPUTE, 0, 1)
LINES = tuple(b"line %d\n" % number for number in range(20))
HELD = {"0-compute-1": Ending(log=LINES, held=True)}


@dataclass
class Far:
    """A peer, and the operator behind it."""

    peer: OperatorPeer
    operator: ScriptedOperator


@asynccontextmanager
async def served(operator: ScriptedOperator, key: str = KEY) -> AsyncIterator[OperatorPeer]:
    """Serve the operator on a free port and yield a client of it."""
    app = build_app("operator", "0", [router(operator.service, KEY)], max_body_bytes=1_000_000)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    http = Http(timeout=30)
    async with anyio.create_task_group() as tasks:

        async def serve() -> None:
            with anyio.CancelScope(shield=True):
                await server._serve([listening])

        tasks.start_soon(serve)
        try:
            yield HttpOperator(http, f"http://127.0.0.1:{listening.getsockname()[1]}", key)
        finally:
            await http.close()
            server.should_exit = True


@pytest.fixture(params=["object", "http"])
async def far(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Far]:
    async with AsyncExitStack() as stack:
        gateway = RecordingGateway(tmp_path / "gateway")
        operator = await stack.enter_async_context(scripted_operator(tmp_path / "operator", gateway, HELD))
        peer: OperatorPeer = operator.service
        if request.param == "http":
            peer = await stack.enter_async_context(served(operator))
        yield Far(peer, operator)


def plan(agreement: AgreementId = AGREEMENT, number: int = 0) -> ExecutionPlan:
    return plan_of(agreement=agreement, number=number, now=SystemClock().now())


async def test_registering_again_returns_the_record(far: Far) -> None:
    wanted = registration_of(plan())
    first = await far.peer.register(wanted)
    again = await far.peer.register(wanted)
    assert first.execution_id == again.execution_id == wanted.plan.workflow_execution_id
    assert len(await far.peer.list()) == 1


async def test_another_execution_of_a_busy_agreement_is_refused(far: Far) -> None:
    await far.peer.register(registration_of(plan()))
    with pytest.raises(InsituError) as refusal:
        await far.peer.register(registration_of(plan(number=1)))
    assert refusal.value.code == "ExecutionInProgress"


async def test_the_record_is_the_one_that_is_stored(far: Far) -> None:
    one = (await far.peer.register(registration_of(plan()))).execution_id
    await far.operator.until(one, Phase.EXECUTING)
    assert await far.peer.status(AGREEMENT, one) == await far.operator.executions.get(one)
    assert await far.peer.position(AGREEMENT, one) == 0


async def test_the_list_is_newest_first_and_of_one_agreement_if_wanted(far: Far) -> None:
    first = await far.peer.register(registration_of(plan()))
    second = await far.peer.register(registration_of(plan(OTHER)))
    assert [each.execution_id for each in await far.peer.list()] == [second.execution_id, first.execution_id]
    assert [each.execution_id for each in await far.peer.list(OTHER)] == [second.execution_id]


async def test_a_stop_is_told_who_wants_it_and_an_ended_one_stays(far: Far) -> None:
    one = (await far.peer.register(registration_of(plan()))).execution_id
    await far.operator.until(one, Phase.EXECUTING)
    stopping = await far.peer.stop(AGREEMENT, one, "owner")
    assert stopping.stop is not None
    assert stopping.stop.by == "owner"
    final = await far.operator.until(one)
    assert await far.peer.stop(AGREEMENT, one, "consumer") == final


async def test_a_followed_log_comes_line_by_line_and_ends_with_the_attempt(far: Far) -> None:
    one = (await far.peer.register(registration_of(plan()))).execution_id
    content = b""
    async for chunk in far.peer.logs(AGREEMENT, one, FIRST, follow=True):
        assert chunk.offset == len(content)
        content += chunk.data
        if content.endswith(LINES[-1]):
            # The algorithm still runs: what came, came live.
            assert (await far.peer.status(AGREEMENT, one)).phase is Phase.EXECUTING
            far.operator.runtime.release(one, COMPUTE)
    assert content == b"".join(LINES)
    assert await far.peer.log_keys(AGREEMENT, one) == (FIRST,)


async def test_a_log_is_read_from_any_offset(far: Far) -> None:
    one = (await far.peer.register(registration_of(plan()))).execution_id
    far.operator.runtime.release(one, COMPUTE)
    await far.operator.until(one)
    chunks = [chunk async for chunk in far.peer.logs(AGREEMENT, one, FIRST, 7)]
    assert chunks[0].offset == 7
    assert b"".join(chunk.data for chunk in chunks) == b"".join(LINES)[7:]
    assert [chunk async for chunk in far.peer.logs(AGREEMENT, one, LogKey(stage=5, attempt=1))] == []


async def test_the_capacity_is_what_it_offers_in_all(far: Far) -> None:
    assert await far.peer.capacity() == CAPACITY


@pytest.mark.parametrize("agreement", [AGREEMENT, OTHER])
async def test_a_pair_that_does_not_belong_together_is_unknown(far: Far, agreement: AgreementId) -> None:
    one = (await far.peer.register(registration_of(plan()))).execution_id
    stray = NOBODY if agreement is AGREEMENT else one

    async def followed() -> None:
        async for _ in far.peer.logs(agreement, stray, FIRST, follow=True):
            break

    calls: list[Callable[[], object]] = [
        lambda: far.peer.status(agreement, stray),
        lambda: far.peer.position(agreement, stray),
        lambda: far.peer.stop(agreement, stray, "owner"),
        lambda: far.peer.log_keys(agreement, stray),
        followed,
    ]
    for call in calls:
        with pytest.raises(InsituError) as refusal:
            await call()  # type: ignore[misc]
        assert refusal.value.code == "ExecutionUnknown"


async def test_refusals_keep_their_code(far: Far) -> None:
    wanted = registration_of(plan())
    large = wanted.plan.limits.model_copy(update={"memory_bytes": 2**50})
    with pytest.raises(InsituError) as refusal:
        await far.peer.register(wanted.model_copy(update={"plan": wanted.plan.model_copy(update={"limits": large})}))
    assert refusal.value.code == "NoSuitableServer"
    small = Capacity(cpu_millis=1, memory_bytes=1, disk_bytes=1)
    far.operator.service._capacity = small
    with pytest.raises(InsituError) as refusal:
        await far.peer.register(wanted)
    assert refusal.value.code == "CapacityExceeded"


async def test_over_http_a_wrong_key_is_refused(tmp_path: Path) -> None:
    gateway = RecordingGateway(tmp_path / "gateway")
    async with scripted_operator(tmp_path / "operator", gateway) as operator, served(operator, "wrong") as peer:
        with pytest.raises(InsituError) as refusal:
            await peer.list()
        assert refusal.value.code == "ServiceKeyRequired"
