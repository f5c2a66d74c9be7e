"""A stream is quiet without events, ends once, and says so to a client that comes back after its end."""

from collections.abc import AsyncGenerator

import anyio
import httpx
import pytest

from insitu.adapters.clock import SystemClock
from insitu.api.gateway_v1 import BASE, LogView
from insitu.gateway.routes import event_stream
from insitu.gateway.routes.event_stream import EventSource, EventStream, OutgoingEvent
from insitu.sdk.events import parse_events
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import World, client

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
async def finished(provider: World) -> tuple[str, str]:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(b"hello\n",))
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset()))
    execution = (await provider.exec(agreement)).workflow_execution_id
    await provider.until_events(execution, "end")
    await provider.operator.until(execution)
    return agreement, execution


async def get(provider: World, address: str, **headers: str) -> httpx.Response:
    token = await client(provider, "consumer")._tokens.headers()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await provider.http.get(
        f"{BASE}/compute/{address}", headers={**token, "Accept": "text/event-stream", **given}
    )


async def test_silence_is_kept_alive_by_lines_that_no_client_takes_for_an_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.01)
    clock, seen, beats = SystemClock(), [b""], anyio.Event()

    async def source() -> AsyncGenerator[OutgoingEvent, None]:
        yield OutgoingEvent("phase", "{}", "1")
        await beats.wait()
        yield OutgoingEvent("end", "{}", "2")

    async def receive() -> dict[str, str]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        seen.append(body)
        if seen.count(b":\n") == 3:
            beats.set()

    later = clock.now().replace(year=9000)
    await EventStream(EventSource(source()), clock=clock, until=later)({"type": "http"}, receive, send)  # type: ignore[arg-type]
    text = b"".join(seen)
    blocks = [block for block in text.split(b"\n\n") if block]
    assert len(blocks) == 2, "a client that splits at empty lines sees two events and nothing else"
    assert all(b"data: {}" in block for block in blocks)
    events = [event async for event in parse_events(httpx.Response(200, content=text))]
    assert [(event.name, event.id) for event in events] == [("phase", "1"), ("end", "2")]


async def test_events_that_have_ended_answer_204_to_a_client_that_comes_back(
    provider: World, finished: tuple[str, str]
) -> None:
    agreement, execution = finished
    events = [event async for event in client(provider, "consumer").events(*finished)]
    address, last = f"events/{agreement}/{execution}", events[-1].sequence
    for answer in (
        await get(provider, address, Last_Event_ID=str(last)),
        await get(provider, f"{address}?after={last}"),
        await get(provider, address, Last_Event_ID=str(last + 1000)),
    ):
        assert (answer.status_code, answer.content) == (204, b"")
    before = await get(provider, address, Last_Event_ID=str(last - 1))
    assert (before.status_code, before.text.count("data: ")) == (200, 1)


async def test_a_log_that_has_ended_answers_204_to_a_client_that_comes_back(
    provider: World, finished: tuple[str, str]
) -> None:
    address = "logs/" + "/".join(finished)
    streamed = await get(provider, address)
    assert [event.id async for event in parse_events(streamed)][-1] == "end"
    again = await get(provider, address, Last_Event_ID="end")
    assert (again.status_code, again.content) == (204, b"")
    assert [piece async for piece in client(provider, "consumer").logs(*finished, after="end")] == []
    some = [piece async for piece in client(provider, "consumer").logs(*finished)]
    assert [(type(piece), piece.text) for piece in some] == [(LogView, "hello\n")]


async def test_what_exists_of_a_log_now_has_no_end_to_come_back_to(provider: World, finished: tuple[str, str]) -> None:
    streamed = await get(provider, "logs/" + "/".join(finished) + "?follow=false")
    assert "event: end\n" in streamed.text
    assert "id: end\n" not in streamed.text


async def test_a_stranger_learns_nothing_from_the_end_of_a_stream(provider: World, finished: tuple[str, str]) -> None:
    token = await client(provider, "stranger")._tokens.headers()
    for kind in ("events", "logs"):
        address = f"{BASE}/compute/{kind}/" + "/".join(finished)
        for last in ("end", "999999"):
            answer = await provider.http.get(address, headers={**token, "Last-Event-ID": last})
            assert (answer.status_code, answer.json()["code"]) == (403, "NotConsumer")
