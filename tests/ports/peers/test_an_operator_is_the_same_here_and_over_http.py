"""The contract of OperatorPeer, over the service object and over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI

from insitu.adapters.peers.operator import HttpOperator
from insitu.api.app import build_app
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, StepKey, StepKind
from insitu.domain.ids import AgreementId, workflow_execution_id
from insitu.operator.bodies import BODY_LIMITS
from insitu.operator.routes import router
from insitu.ports.peers import LogKey, OperatorPeer
from insitu.sdk.http import Http
from tests.doubles.plans import AGREEMENT, plan_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import CAPACITY, ScriptedOperator, scripted_operator
from tests.doubles.scripted_runtime import Ending
from tests.ports.peers.serving import Cutting, served

KEY = "a-service-key-of-a-test"
HELD = {"0-compute-1": Ending(log=(b"hello\n", b"world\n"), held=True)}
FIRST = LogKey(stage=0, attempt=1)
OTHER = AgreementId("0b" * 32)


@dataclass
class Parts:
    peer: OperatorPeer
    operator: ScriptedOperator
    transport: Cutting


@pytest.fixture(params=["object", "http"])
async def parts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        gateway = RecordingGateway(tmp_path / "gateway")
        operator = await stack.enter_async_context(scripted_operator(tmp_path / "operator", gateway, HELD))
        transport = Cutting()
        peer: OperatorPeer = operator.service
        if request.param == "http":
            app = _app(operator)
            url = await stack.enter_async_context(served(app))
            peer = HttpOperator(await stack.enter_async_context(Http(transport=transport)), url, KEY)
        yield Parts(peer, operator, transport)


def _app(operator: ScriptedOperator) -> FastAPI:
    routers = [router(operator.service, KEY)]
    return build_app("operator of a test", "0", routers, max_body_bytes=10**6, body_limits=BODY_LIMITS)


async def read(peer: OperatorPeer, offset: int = 0, *, follow: bool = False) -> tuple[int, bytes]:
    """Where the log began, and what it said."""
    execution_id = workflow_execution_id(AGREEMENT, plan_of().number)
    begin, content = -1, b""
    async for chunk in peer.logs(AGREEMENT, execution_id, FIRST, offset, follow=follow):
        if begin < 0:
            begin = chunk.offset
        assert chunk.offset == begin + len(content)
        content += chunk.data
    return begin, content


async def test_an_execution_is_registered_once_seen_listed_and_stopped(parts: Parts) -> None:
    peer, registration = parts.peer, registration_of(plan_of())
    first = await peer.register(registration)
    again = await peer.register(registration)
    assert again.execution_id == first.execution_id
    execution_id = first.execution_id
    await parts.operator.until(execution_id, Phase.EXECUTING)
    assert (await peer.status(AGREEMENT, execution_id)).phase is Phase.EXECUTING
    assert await peer.position(AGREEMENT, execution_id) == 0
    assert [one.execution_id for one in await peer.list()] == [execution_id]
    assert [one.execution_id for one in await peer.list(AGREEMENT)] == [execution_id]
    assert await peer.list(OTHER) == ()
    stopped = await peer.stop(AGREEMENT, execution_id, "owner")
    assert stopped.stop is not None
    assert stopped.stop.by == "owner"
    final = await parts.operator.until(execution_id)
    assert await peer.status(AGREEMENT, execution_id) == final
    assert (await peer.stop(AGREEMENT, execution_id, "consumer")).phase is Phase.STOPPED


async def test_a_second_live_execution_of_an_agreement_is_refused(parts: Parts) -> None:
    await parts.peer.register(registration_of(plan_of()))
    with pytest.raises(InsituError, match="ExecutionInProgress"):
        await parts.peer.register(registration_of(plan_of(number=plan_of().number + 1)))


async def test_what_is_not_known_is_refused(parts: Parts) -> None:
    unknown = workflow_execution_id(OTHER, 0)
    for call in (parts.peer.status, parts.peer.position, parts.peer.log_keys):
        with pytest.raises(InsituError, match="ExecutionUnknown"):
            await call(OTHER, unknown)
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await parts.peer.stop(OTHER, unknown, "provider")
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await read_unknown(parts.peer)


async def test_an_image_that_is_missing_is_reported_before_anybody_pays(parts: Parts) -> None:
    image = plan_of().stages[0].image
    await parts.peer.require_images([image, image])
    parts.operator.runtime.missing_images.add(image.digest)
    other = image.model_copy(update={"digest": "sha256:" + "ab" * 32})
    await parts.peer.require_images([other])
    with pytest.raises(InsituError, match="ImageUnavailable"):
        await parts.peer.require_images([other, image])
    with pytest.raises(InsituError, match="ImageUnavailable"):
        await parts.peer.register(registration_of(plan_of()))
    assert await parts.peer.list() == ()


async def read_unknown(peer: OperatorPeer) -> None:
    async for _ in peer.logs(OTHER, workflow_execution_id(OTHER, 0), FIRST):
        continue


async def test_logs_are_read_from_any_offset_and_followed_to_their_end(parts: Parts) -> None:
    execution = await parts.peer.register(registration_of(plan_of()))
    await parts.operator.until(execution.execution_id, Phase.EXECUTING)
    followed: list[tuple[int, bytes]] = []

    async def follow() -> None:
        followed.append(await read(parts.peer, follow=True))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            while (await read(parts.peer))[1] != b"hello\nworld\n":  # noqa: ASYNC110 - the pump is another's
                await anyio.sleep(0.01)
            assert await read(parts.peer, 6) == (6, b"world\n")
            assert not followed
            assert await parts.peer.log_keys(AGREEMENT, execution.execution_id) == (FIRST,)
            parts.operator.runtime.release(execution.execution_id, StepKey(StepKind.COMPUTE, 0, 1))
    assert followed == [(0, b"hello\nworld\n")]


async def test_a_log_goes_on_where_its_connection_broke(parts: Parts) -> None:
    execution = await parts.peer.register(registration_of(plan_of()))
    await parts.operator.until(execution.execution_id, Phase.EXECUTING)
    parts.operator.runtime.release(execution.execution_id, StepKey(StepKind.COMPUTE, 0, 1))
    await parts.operator.until(execution.execution_id)
    parts.transport.cuts = 2
    assert await read(parts.peer) == (0, b"hello\nworld\n")


async def test_the_capacity_is_shown(parts: Parts) -> None:
    assert await parts.peer.capacity() == CAPACITY


async def test_only_the_holder_of_the_key_is_answered(tmp_path: Path) -> None:
    gateway = RecordingGateway(tmp_path / "gateway")
    async with scripted_operator(tmp_path / "operator", gateway) as operator:
        app = _app(operator)
        async with served(app) as url, Http() as http:
            with pytest.raises(InsituError, match="ServiceKeyRequired"):
                await HttpOperator(http, url, "another-key-of-a-test").capacity()


async def test_an_operator_that_is_not_there_is_unavailable() -> None:
    async with Http() as http:
        peer = HttpOperator(http, "http://127.0.0.1:9", KEY)
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await peer.capacity()
