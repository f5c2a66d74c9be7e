"""Execute, watch, wait, read, download, stop, from the agreement's id alone, with and without `await`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from insitu.adapters.chain.client import EvmChain
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.sdk.client import Client
from insitu.sdk.http import Http
from insitu.sdk.synchronous import SyncClient
from insitu.sdk.workflows import Stage
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import PUBLIC_URL, RESULT
from tests.sdk.market import Detour, Market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SCRIPT = {"count.py": "print('counting')\n"}
HELD = Ending(held=True, log=(b"first line\n", "zweite Zeile \u2028\n".encode(), b"third line\n"))


async def workflow_on(provider: Market, consumer: Client) -> str:
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner)
    algorithm = await consumer.assets.publish_algorithm("Count", SCRIPT)
    return (await consumer.assets.publish_workflow("Count", [Stage(algorithm=algorithm.did, inputs=[did])])).did


def script(provider: Market, **endings: Ending) -> None:
    provider.world.operator.runtime.script.update({name.replace("_", "-")[1:]: one for name, one in endings.items()})


async def test_a_workflow_runs_and_its_result_belongs_to_the_consumer(provider: Market, tmp_path: Path) -> None:
    consumer, detour = await provider.client("consumer")
    execution = await consumer.compute.run_workflow(
        await workflow_on(provider, consumer), max_price=Amount.from_base_units(13)
    )

    events = [event.type async for event in execution.events()]
    assert events == ["phase"] * 5 + ["result", "phase", "settled", "end"]
    view = await execution.status()
    assert (view.phase, view.charge, view.settled) == (Phase.SUCCEEDED, Amount.from_base_units(13), True)
    assert await execution.ended()

    result = await execution.result()
    assert await consumer.assets.owner(result.did) == consumer.account
    paths = await execution.download(tmp_path / "got")
    assert [(path.name, path.read_bytes()) for path in paths] == [("count.txt", RESULT)]
    assert [path.read_bytes() for path in await consumer.assets.download(result.did, tmp_path / "again")] == [RESULT]

    receipt = await execution.receipt()
    verified = await consumer.verify(receipt)
    assert verified.statement.predicate.workflow_execution_id == execution.execution_id
    assert (await consumer.verify(receipt.envelope, on_chain=False)).receipt_hash == verified.receipt_hash
    with pytest.raises(InsituError, match="ExecutionAlreadySettled"):
        await consumer.release(receipt)

    called = [request.url.path for request in detour.seen if request.method == "POST"]
    assert "/api/v1/gateway/services/exec" in called


async def test_the_agreement_s_id_is_enough_and_a_key_makes_a_retry_the_same_execution(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    bought = await consumer.agreements.buy(await workflow_on(provider, consumer))
    script(provider, _0_compute_1=HELD)
    first = await consumer.compute.execute(bought.id, idempotency_key="tonight")
    again, _ = await provider.client("consumer")
    same = await again.compute.execute(bought.id, idempotency_key="tonight")
    assert same.execution_id == first.execution_id
    with pytest.raises(InsituError, match="ExecutionInProgress"):
        await again.compute.execute(bought.id)
    assert [view.workflow_execution_id for view in await again.compute.executions()] == [first.execution_id]
    assert len(await again.compute.executions(bought.id)) == 1
    handle = await again.compute.execution(bought.id, first.execution_id)
    assert (await handle.stop()).workflow_execution_id == first.execution_id
    assert (await handle.wait()).phase is Phase.STOPPED
    with pytest.raises(InsituError, match="InvalidId"):
        await again.compute.execution(bought.id, "wx1")


async def test_logs_come_live_and_go_on_after_a_broken_connection(provider: Market) -> None:
    consumer, detour = await provider.client("consumer")
    script(provider, _0_compute_1=HELD)
    execution = await consumer.compute.run_workflow(await workflow_on(provider, consumer))
    read: list[str] = []
    with anyio.fail_after(30):
        async for piece in execution.logs():
            read.append(piece.text)
            if "".join(read).count("\n") == 3:
                break
    assert "".join(read) == "first line\nzweite Zeile \u2028\nthird line\n"
    assert "".join([piece.text async for piece in execution.logs(follow=False)]) == "".join(read)
    behind = [piece.text async for piece in execution.logs(follow=False, after="0:1:11")]
    assert "".join(behind) == "zweite Zeile \u2028\nthird line\n"

    cut = [request for request in detour.seen if "/logs/" in request.url.path]
    detour.failing = lambda request: "/events/" in request.url.path and len(detour.seen) % 2 == 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(execution.stop)
        sequences = [event.sequence async for event in execution.events()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert cut


async def test_waiting_has_an_end_even_if_the_execution_has_none(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    script(provider, _0_compute_1=HELD)
    execution = await consumer.compute.run_workflow(await workflow_on(provider, consumer))
    assert (await execution.wait(seconds=0.3)).phase is not Phase.SUCCEEDED
    assert not await execution.ended()
    for early in (execution.result, execution.receipt):
        with pytest.raises(InsituError, match="ExecutionNotEnded"):
            await early()
    await execution.stop()
    view = await execution.wait(seconds=30)
    assert (view.phase, view.reason.code if view.reason else None) == (Phase.STOPPED, "StoppedByConsumer")


async def test_a_failure_has_a_reason_and_a_receipt_but_no_result(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    script(provider, _0_compute_1=Ending(code="AlgorithmFailed", log=(b"Traceback\n",)))
    execution = await consumer.compute.run_workflow(await workflow_on(provider, consumer))
    view = await execution.wait(seconds=30)
    assert (view.phase, view.charge) == (Phase.FAILED, None)
    assert view.reason is not None
    assert (view.reason.code, bool(view.reason.next_step)) == ("AlgorithmFailed", True)
    assert "".join([piece.text async for piece in execution.logs()]) == "Traceback\n"
    with pytest.raises(InsituError, match="NoResult"):
        await execution.result()
    predicate = (await consumer.verify(await execution.receipt(), on_chain=False)).statement.predicate
    assert predicate.outcome is Phase.FAILED


async def test_a_stranger_sees_nothing(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    stranger, _ = await provider.client("stranger")
    execution = await consumer.compute.run_workflow(await workflow_on(provider, consumer))
    await execution.wait()
    theirs = await stranger.compute.execution(execution.agreement_id, execution.execution_id)
    for call in (theirs.status, theirs.receipt, theirs.result, theirs.stop):
        with pytest.raises(InsituError) as refused:
            await call()
        assert refused.value.code in {"NotConsumer", "NotFound", "ExecutionUnknown"}
    with pytest.raises(InsituError, match="NotConsumer"):
        await stranger.compute.execute(execution.agreement_id)
    assert await stranger.compute.executions() == ()


async def test_a_token_that_ends_is_replaced_without_notice(provider: Market) -> None:
    consumer, detour = await provider.client("consumer")
    execution = await consumer.compute.run_workflow(await workflow_on(provider, consumer))
    await execution.wait()
    refused: list[str] = []

    def expired(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "/compute/status/" not in request.url.path or refused:
            return response
        refused.append(request.headers["Authorization"])
        problem = {"type": "urn:insitu:error:TokenExpired", "title": "", "status": 401, "detail": ""}
        members = {"code": "TokenExpired", "nextStep": ""}
        return httpx.Response(401, json=problem | members, request=request)

    detour.answered = expired
    assert (await execution.status()).phase is Phase.SUCCEEDED
    assert len(refused) == 1


def sync_client(provider: Market, who: str) -> SyncClient:
    def make() -> Client:
        chain = EvmChain(provider.world.chain.url, provider.world.chain.deployments)
        return Client(chain, provider.world.people[who], PUBLIC_URL, http=Http(transport=Detour(provider.port)))

    return SyncClient(make)


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    return await anyio.to_thread.run_sync(partial(call, *arguments))


async def test_the_same_without_await(provider: Market, tmp_path: Path) -> None:
    consumer, _ = await provider.client("consumer")
    workflow = await workflow_on(provider, consumer)

    def as_in_a_notebook() -> list[str]:
        with sync_client(provider, "consumer") as client:
            assert client.account == consumer.account
            assert client.agreements.check(workflow).allowed
            execution = client.compute.run_workflow(workflow)
            types = [event.type for event in execution.events()]
            assert execution.wait().phase is Phase.SUCCEEDED
            assert [path.read_bytes() for path in execution.download(tmp_path / "sync")] == [RESULT]
            assert execution.execution_id in repr(execution)
            for _ in execution.events():
                break
            with pytest.raises(InsituError, match="AgreementUnknown"):
                client.agreements.show("0" * 64)
            assert "compute" in dir(client)
            assert "Start an execution" in (client.compute.execute.__doc__ or "")
            client._thread.start(client._inner._http.close).result()
            return types

    assert (await in_thread(as_in_a_notebook))[-1] == "end"
