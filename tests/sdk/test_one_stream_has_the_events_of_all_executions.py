"""Whoever may see executions follows all of them in one stream, which resumes where it stopped."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.api.gateway_v1 import BASE, EventView
from insitu.gateway.executions import streamer
from insitu.sdk.client import Client
from insitu.sdk.events import ServerEvent, parse_events
from insitu.sdk.execution import Execution
from insitu.sdk.workflows import Stage
from tests.gateway.world import RESULT
from tests.sdk.market import Market, market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SCRIPT = {"count.py": "print('counting')\n"}
WHOLE = ["phase"] * 5 + ["result", "phase", "settled", "end"]


async def run(provider: Market, consumer: Client) -> Execution:
    """Run something on a new data set of the owner to its end."""
    owner, _ = await provider.client("owner")
    algorithm = await consumer.assets.publish_algorithm("Count", SCRIPT)
    stage = Stage(algorithm=algorithm.did, inputs=[await provider.dataset(owner)])
    execution = await consumer.compute.run_workflow((await consumer.assets.publish_workflow("Count", [stage])).did)
    await execution.wait()
    return execution


async def eventually(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not holds():  # noqa: ASYNC110  nothing rings when the server sees that a client has left
            await anyio.sleep(0.01)


async def collect(client: Client, number: int, after: int | None = None) -> list[EventView]:
    """Return the next events of a client's stream."""
    found: list[EventView] = []
    with anyio.fail_after(60):
        async with aclosing(client.compute.events(after)) as events:  # type: ignore[type-var]
            async for event in events:
                found.append(event)
                if len(found) == number:
                    break
    return found


@asynccontextmanager
async def opened(
    provider: Market, client: Client, query: str = "", **headers: str
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[ServerEvent]]]:
    """Open the stream as a page does."""
    token = await client.gateway._tokens.headers()
    address = f"http://127.0.0.1:{provider.port}{BASE}/compute/events{query}"
    async with (
        httpx.AsyncClient(timeout=30) as http,
        http.stream("GET", address, headers={**token, **headers}) as response,
    ):
        yield response, parse_events(response)


async def test_everybody_sees_the_executions_in_which_they_have_a_role(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    other, _ = await provider.client("second-consumer")
    first, second = await run(provider, consumer), await run(provider, other)
    for who, role, seen in (
        ("consumer", "consumer", [first]),
        ("second-consumer", "consumer", [second]),
        ("owner", "owner", [first, second]),
        ("provider", "provider", [first, second]),
    ):
        client, _ = await provider.client(who)
        events = await collect(client, len(WHOLE) * len(seen), after=0)
        assert [event.type for event in events] == WHOLE * len(seen)
        assert {event.role for event in events} == {role}
        assert [event.workflow_execution_id for event in events[:: len(WHOLE)]] == [one.execution_id for one in seen]
        assert {event.service_agreement_id for event in events} == {one.agreement_id for one in seen}
    of_one, of_all = [event async for event in first.events()], await collect(consumer, len(WHOLE), after=0)
    assert of_all == of_one
    stranger, _ = await provider.client("stranger")
    async with opened(provider, stranger, "?after=0") as (_, events):
        assert (await anext(events)).name == "begin"
        with anyio.move_on_after(1) as waited:
            await anext(events)
        assert waited.cancelled_caught, "a stranger sees nothing"


async def test_an_execution_that_begins_appears_in_a_stream_that_is_open(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    first = await run(provider, consumer)
    async with opened(provider, consumer) as (_, events):
        begin = await anext(events)
        assert (begin.name, begin.data, begin.id) == ("begin", "{}", str(len(WHOLE)))
        second = await run(provider, consumer)
        with anyio.fail_after(30):
            found = [EventView.model_validate_json((await anext(events)).data) for _ in WHOLE]
    assert {event.workflow_execution_id for event in found} == {second.execution_id} != {first.execution_id}
    assert [event.type for event in found] == WHOLE


async def test_a_stream_resumes_without_loss_or_repetition_also_after_a_restart(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    people = None
    seen: list[EventView] = []
    for _ in range(2):
        async with market(chain, tmp_path, **({"people": people} if people else {})) as provider:
            provider.world.operator.runtime.script.update(await provider.world.output({"count.txt": RESULT}))
            people = provider.world.people
            consumer, _ = await provider.client("consumer")
            await run(provider, consumer)
            seen += await collect(consumer, 4, after=seen[-1].number if seen else 0)
            async with opened(provider, consumer, **{"Last-Event-ID": str(seen[-1].number)}) as (_, events):
                assert (await anext(events)).id == str(seen[-1].number)
                seen += [EventView.model_validate_json((await anext(events)).data) for _ in range(3)]
    assert [event.number for event in seen] == list(range(1, 15))
    assert [event.type for event in seen] == (WHOLE * 2)[:14]
    assert len({event.workflow_execution_id for event in seen}) == 2


async def test_a_token_for_one_execution_shows_its_events_only(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    first, second = await run(provider, consumer), await run(provider, consumer)
    finder = provider.world.gateway.execution_finder
    for restricted, wanted in (
        ({"agreement": first.agreement_id}, first),
        ({"agreement": second.agreement_id, "execution": second.execution_id}, second),
    ):
        caller = provider.world.caller("consumer", "compute", **restricted)
        reached, found = await finder.events(caller, 0)
        assert reached == 2 * len(WHOLE)
        assert {seen.execution.execution_id for seen, _ in found} == {wanted.execution_id}


async def test_an_account_opens_only_so_many_streams(provider: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamer, "MOST_OF_ACCOUNT", 2)
    consumer, _ = await provider.client("consumer")
    async with opened(provider, consumer) as (_, one), opened(provider, consumer) as (_, two):
        assert (await anext(one)).name == (await anext(two)).name == "begin"
        await eventually(lambda: len(provider.world.gateway.streamer._strange) == 2)
        async with opened(provider, consumer) as (refused, _):
            await refused.aread()
            assert (refused.status_code, refused.json()["code"]) == (429, "RequestFrequencyExceeded")
        owner, _ = await provider.client("owner")
        async with opened(provider, owner) as (other, _):
            assert other.status_code == 200
    await eventually(lambda: not provider.world.gateway.streamer._strange)
    async with opened(provider, consumer) as (again, _):
        assert again.status_code == 200


async def test_accounts_that_have_nothing_here_open_only_so_many_streams_together(
    provider: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, _ = await provider.client("consumer")
    await run(provider, consumer)
    monkeypatch.setattr(streamer, "MOST_OF_STRANGERS", 1)
    stranger, _ = await provider.client("second-consumer")
    async with opened(provider, stranger) as (_, one):
        assert (await anext(one)).name == "begin"
        await eventually(lambda: len(provider.world.gateway.streamer._strange) == 1)
        async with opened(provider, stranger) as (refused, _):
            await refused.aread()
            assert (refused.status_code, refused.json()["code"]) == (429, "RequestFrequencyExceeded")
        for client in (consumer, (await provider.client("owner"))[0]):
            async with opened(provider, client) as (other, _):
                assert other.status_code == 200


@pytest.mark.parametrize("query", ["?after=-1", "?after=1e9", "?after=x"])
async def test_a_position_is_a_number(provider: Market, query: str) -> None:
    consumer, _ = await provider.client("consumer")
    async with opened(provider, consumer, query) as (refused, _):
        await refused.aread()
        assert (refused.status_code, refused.json()["code"]) == (400, "InvalidRequest")


async def test_head_of_the_stream_ends_and_counts_for_nobody(provider: Market) -> None:
    consumer, _ = await provider.client("consumer")
    token = await consumer.gateway._tokens.headers()
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.head(f"http://127.0.0.1:{provider.port}{BASE}/compute/events", headers=token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    await eventually(lambda: not provider.world.gateway.streamer._strange)
