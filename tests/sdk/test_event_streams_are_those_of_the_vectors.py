"""Server-sent events as the vectors have them: what is an event, however the bytes arrive, and how a stream resumes."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from insitu.sdk.events import ServerEvent, follow, parse_events
from insitu.sdk.http import Http

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "event-stream.json"
CASES: dict[str, Any] = json.loads(VECTORS.read_text("utf-8"))


def written(event: ServerEvent) -> dict[str, str | None]:
    return {"id": event.id, "event": event.name, "data": event.data}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES["streams"]])
async def test_the_events_are_those_of_the_vector_however_the_bytes_arrive(case: dict[str, Any], size: int) -> None:
    raw = case["bytes"].encode()

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), size):
            yield raw[at : at + size]

    response = httpx.Response(200, content=body())
    assert [written(event) async for event in parse_events(response)] == case["events"]


async def test_a_stream_resumes_as_in_the_vector() -> None:
    case = CASES["resumed"]
    waiting, asked, fresh = list(case["connections"]), list[str | None](), list[bool]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        return httpx.Response(200, text=waiting.pop(0)["bytes"], headers={"Content-Type": "text/event-stream"})

    async def authorization(anew: bool) -> Mapping[str, str]:
        fresh.append(anew)
        return {}

    async with Http(transport=httpx.MockTransport(answer)) as http:
        events = [written(event) async for event in follow(http, "http://g.test/events", authorization)]
    assert events == case["events"]
    assert asked == [connection["lastEventId"] for connection in case["connections"]]
    assert fresh == [connection.get("freshToken", False) for connection in case["connections"]]
