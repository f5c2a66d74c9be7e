"""The ticket of an execution: what its pods may do over HTTP, and until when."""

from collections.abc import AsyncIterator

import pytest

from insitu.adapters.peers.gateway import HttpGateway
from insitu.api.gateway_v1 import ExecAccepted
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason, Transition
from insitu.domain.ids import ExecutionId
from insitu.ports.peers import ExecutionReport
from insitu.sdk.http import Http
from tests.doubles.clock import START
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import PUBLIC_URL, SCRIPT, World

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def peer(provider: World) -> HttpGateway:
    return HttpGateway(Http(transport=provider.http._transport), PUBLIC_URL)


async def running(provider: World) -> tuple[ExecAccepted, str]:
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    started = await provider.exec(agreement)
    await provider.operator.until(started.workflow_execution_id, Phase.EXECUTING)
    return started, provider.desk.ticket_issuer.issue(started.workflow_execution_id)


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def report(provider: World, execution_id: ExecutionId, code: str) -> ExecutionReport:
    plan = (await provider.execution(execution_id)).plan
    reason = Reason(code=code, message="so says the test")
    outcome = Transition(sequence=9, phase=Phase.FAILED, at=START, reason=reason)
    return ExecutionReport(plan=plan, history=(), records=(), outcome=outcome, runtime="test", enforcement={})


async def test_a_live_ticket_fetches_what_the_plan_names_and_nothing_else(provider: World, peer: HttpGateway) -> None:
    _, ticket = await running(provider)
    assert b"".join([chunk async for chunk in peer.fetch(ticket, "0-algorithm-0")]) == SCRIPT
    for other in ("0-algorithm-1", "0-input-1-0", "1-algorithm-0", "..%2f..%2fetc%2fpasswd"):
        with pytest.raises(InsituError, match=r"ConfigurationFailed|NotFound"):
            [chunk async for chunk in peer.fetch(ticket, other)]


async def test_bytes_are_stored_only_under_their_digest(provider: World, peer: HttpGateway) -> None:
    from hashlib import sha256

    _, ticket = await running(provider)
    digest = sha256(b"result").hexdigest()
    await peer.put_output(ticket, digest, chunks(b"result"))
    await peer.put_output(ticket, digest, chunks(b"result"))
    assert await provider.blobs.size(digest) == 6
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await peer.put_output(ticket, sha256(b"other").hexdigest(), chunks(b"result"))


async def test_progress_reaches_the_consumer_and_known_sequences_are_ignored(
    provider: World, peer: HttpGateway
) -> None:
    started, ticket = await running(provider)
    told = Transition(sequence=50, phase=Phase.EXECUTING, at=START, stage=0, attempt=2)
    final = Transition(sequence=51, phase=Phase.SUCCEEDED, at=START)
    for _ in range(2):
        await peer.progress(ticket, started.workflow_execution_id, [told, final])
    events = await provider.agreements.events(started.workflow_execution_id)
    assert [event.data["sequence"] for event in events if int(str(event.data["sequence"])) >= 50] == [50]
    assert (await provider.execution(started.workflow_execution_id)).live


async def test_the_first_report_is_the_outcome_and_later_ones_get_it_as_their_answer(
    provider: World, peer: HttpGateway
) -> None:
    started, ticket = await running(provider)
    first = await peer.finish(ticket, await report(provider, started.workflow_execution_id, "AlgorithmFailed"))
    second = await peer.finish(ticket, await report(provider, started.workflow_execution_id, "MemoryLimitExceeded"))
    assert first == second
    assert first.reason is not None
    assert first.reason.code == "AlgorithmFailed"


async def test_a_ticket_ends_with_its_execution(provider: World, peer: HttpGateway) -> None:
    started, ticket = await running(provider)
    await peer.finish(ticket, await report(provider, started.workflow_execution_id, "AlgorithmFailed"))
    with pytest.raises(InsituError, match="TokenExpired"):
        [chunk async for chunk in peer.fetch(ticket, "0-algorithm-0")]
    with pytest.raises(InsituError, match="TokenExpired"):
        await peer.put_output(ticket, "ab" * 32, chunks(b"late"))
    # Reporting again is still allowed, so an operator that was down can catch up.
    await peer.progress(ticket, started.workflow_execution_id, [])


async def test_a_ticket_works_for_its_own_execution_only(provider: World, peer: HttpGateway) -> None:
    started, ticket = await running(provider)
    with pytest.raises(InsituError, match="InvalidToken"):
        await peer.progress(ticket, ExecutionId("wx" + "a" * 26), [])
    forged = f"{started.workflow_execution_id}.{'0' * 64}"
    with pytest.raises(InsituError, match="InvalidToken"):
        await peer.progress(forged, started.workflow_execution_id, [])
    other = await report(provider, started.workflow_execution_id, "AlgorithmFailed")
    plan = other.plan.model_copy(update={"workflow_execution_id": ExecutionId("wx" + "a" * 26)})
    with pytest.raises(InsituError, match="InvalidRequest"):
        await peer.finish(ticket, other.model_copy(update={"plan": plan}))
