"""The contract of GatewayPeer, over an object and over HTTP."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from insitu.adapters.peers.gateway import HttpGateway
from insitu.api.app import build_app
from insitu.api.gateway_v1 import TICKET_OUTPUTS
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason, Transition
from insitu.gateway.routes import ticket_router
from insitu.ports.peers import ExecutionReport, GatewayPeer
from insitu.sdk.http import Http
from tests.doubles.plans import plan_of
from tests.doubles.recording_gateway import TICKET, RecordingGateway
from tests.ports.peers.serving import Cutting, served

PLAN = plan_of()
EXECUTION = PLAN.workflow_execution_id
NOW = datetime(2030, 1, 1, tzinfo=UTC)
LARGE = bytes(range(256)) * 10_000


@dataclass
class Parts:
    peer: GatewayPeer
    gateway: RecordingGateway
    transport: Cutting


@pytest.fixture(params=["object", "http"])
async def parts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        gateway, transport = RecordingGateway(tmp_path, {"0-1": LARGE, "empty": b""}), Cutting()
        peer: GatewayPeer = gateway
        if request.param == "http":
            limits = {TICKET_OUTPUTS: 2**40}
            app = build_app("gateway", "0", [ticket_router(gateway)], max_body_bytes=10**6, body_limits=limits)
            url = await stack.enter_async_context(served(app))
            peer = HttpGateway(await stack.enter_async_context(Http(transport=transport)), url)
        yield Parts(peer, gateway, transport)


def transition(sequence: int, phase: Phase, code: str | None = None) -> Transition:
    reason = Reason(code=code, message="so") if code else None
    return Transition(sequence=sequence, phase=phase, at=NOW, stage=0, attempt=1, reason=reason)


def report(outcome: Transition) -> ExecutionReport:
    history = (transition(1, Phase.REGISTERED), transition(2, Phase.CONFIGURING))
    return ExecutionReport(
        plan=PLAN, history=history, records=(), outcome=outcome, runtime="test", enforcement={"memory": "cgroup"}
    )


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def fetched(peer: GatewayPeer, reference: str, ticket: str = TICKET) -> bytes:
    return b"".join([chunk async for chunk in peer.fetch(ticket, reference)])


async def test_transitions_are_recorded_and_known_ones_ignored(parts: Parts) -> None:
    first, second = transition(1, Phase.REGISTERED), transition(2, Phase.FAILED, "QueueTimeout")
    await parts.peer.progress(TICKET, EXECUTION, [first])
    await parts.peer.progress(TICKET, EXECUTION, [first, second])
    assert parts.gateway.reported(EXECUTION) == [first, second]


async def test_a_file_of_the_plan_is_streamed(parts: Parts) -> None:
    assert await fetched(parts.peer, "0-1") == LARGE
    assert await fetched(parts.peer, "empty") == b""
    with pytest.raises(InsituError, match="ConfigurationFailed"):
        await fetched(parts.peer, "other")


async def test_output_is_handed_over_under_its_digest(parts: Parts) -> None:
    digest = hashlib.sha256(LARGE).hexdigest()
    for _ in range(2):
        await parts.peer.put_output(TICKET, digest, chunks(LARGE[:7], LARGE[7:]))
    assert parts.gateway.blob(digest) == LARGE
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await parts.peer.put_output(TICKET, "0" * 64, chunks(b"x"))


async def test_the_first_report_wins(parts: Parts) -> None:
    first = transition(3, Phase.SUCCEEDED)
    assert await parts.peer.finish(TICKET, report(first)) == first
    assert await parts.peer.finish(TICKET, report(transition(3, Phase.STOPPED, "StoppedByOwner"))) == first
    assert parts.gateway.report(EXECUTION) == report(first)


async def test_without_the_ticket_nothing_is_accepted(parts: Parts) -> None:
    with pytest.raises(InsituError, match="InvalidToken"):
        await parts.peer.progress("another", EXECUTION, [])
    with pytest.raises(InsituError, match="InvalidToken"):
        await parts.peer.put_output("another", "0" * 64, chunks(b"x"))
    with pytest.raises(InsituError, match="InvalidToken"):
        await parts.peer.finish("another", report(transition(3, Phase.SUCCEEDED)))
    with pytest.raises(InsituError, match="InvalidToken"):
        await fetched(parts.peer, "0-1", ticket="another")


async def test_a_gateway_that_is_not_there_is_reported_so_that_one_can_wait_for_it() -> None:
    async with Http() as http:
        peer = HttpGateway(http, "http://127.0.0.1:9")
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await fetched(peer, "0-1")
        with pytest.raises(InsituError, match="PeerUnavailable"):
            await peer.progress(TICKET, EXECUTION, [])
