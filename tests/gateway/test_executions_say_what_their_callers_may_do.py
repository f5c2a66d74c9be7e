"""An execution's answer says who the caller is, what things are called, and what may be done; lists have pages."""

from typing import Any

import pytest

from insitu.api.gateway_v1 import BASE, EventView, LogView
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId
from insitu.sdk.events import parse_events
from tests.doubles.scripted_runtime import Ending
from tests.gateway.world import World, client

pytestmark = pytest.mark.needs("chain")


async def start(provider: World, **main: Any) -> tuple[str, str]:
    agreement = await provider.buy(await provider.simple_workflow(await provider.publish_dataset(**main)))
    return agreement, (await provider.exec(agreement)).workflow_execution_id


async def finish(provider: World, **main: Any) -> tuple[str, str]:
    agreement, execution = await start(provider, **main)
    await provider.until_events(execution, "end")
    await provider.operator.until(execution)
    return agreement, execution


async def what_works(provider: World, who: str, ids: tuple[str, str]) -> set[str]:
    """What the caller may do, found out by doing it; stopping one that has ended changes nothing, so it is left out."""
    found = set()
    caller = client(provider, who)
    for action in ("receipt", "opening", "result"):
        try:
            await getattr(caller, action)(*ids)
        except InsituError:
            continue
        found.add(action)
    token = await caller._tokens.headers()
    answer = await provider.http.get(f"{BASE}/compute/logs/{ids[0]}/{ids[1]}?follow=false", headers=token)
    return found | ({"logs"} if answer.status_code == 200 else set())


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("who", ["consumer", "owner", "provider"])
async def test_what_an_answer_allows_is_what_works(provider: World, who: str, *, hidden: bool) -> None:
    main: dict[str, Any] = {"policy": {"algorithms": "any", "logs": "none"}} if hidden else {}
    ids = await finish(provider, **main)
    seen = await client(provider, who).status(*ids)
    assert seen.role == who
    assert set(seen.actions) == await what_works(provider, who, ids)
    assert ("result" in seen.actions) == (who == "consumer")
    assert ("logs" in seen.actions) == (who != "consumer" or not hidden)


async def test_a_running_execution_can_be_stopped_and_an_ended_one_cannot(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(held=True)
    agreement, execution = await start(provider)
    seen = await client(provider, "owner").status(agreement, execution)
    assert "stop" in seen.actions
    assert "receipt" not in seen.actions
    assert seen.ended_at is None
    await client(provider, "owner").stop(agreement, execution)
    await provider.until_events(execution, "end")
    ended = await client(provider, "owner").status(agreement, execution)
    assert "stop" not in ended.actions
    assert ended.ended_at is not None


async def test_an_answer_names_everything_and_says_when_it_began_and_ended(provider: World) -> None:
    agreement, execution = await finish(provider)
    seen = await client(provider, "consumer").status(agreement, execution)
    assert seen.names[seen.did]
    assert seen.names[seen.workflow_did]
    assert len(seen.names) == 3, "the algorithm has a name, too"
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.created_at <= seen.started_at <= seen.ended_at


async def test_a_list_has_pages_and_filters(provider: World) -> None:
    first, second = await finish(provider), await finish(provider)
    consumer = client(provider, "consumer")
    page = await consumer.executions(limit=1)
    assert [view.workflow_execution_id for view in page.executions] == [second[1]]
    assert page.before == second[1]
    rest = await consumer.executions(limit=100, before=page.before)
    assert [view.workflow_execution_id for view in rest.executions] == [first[1]]
    assert rest.before is None
    assert (await consumer.executions(live=True)).executions == ()
    assert len((await consumer.executions(live=False)).executions) == 2
    reading = await client(provider, "owner").executions(reading=page.executions[0].did)
    assert [view.workflow_execution_id for view in reading.executions] == [second[1]]


async def test_a_stranger_learns_nothing_from_filters_and_cursors(provider: World) -> None:
    agreement, execution = await finish(provider)
    did = (await client(provider, "consumer").status(agreement, execution)).did
    stranger = client(provider, "stranger")
    assert (await stranger.executions(reading=did)).executions == ()
    assert (await stranger.executions(live=False)).executions == ()
    assert (await stranger.executions(before=execution)).executions == ()  # type: ignore[arg-type]
    with pytest.raises(InsituError, match="InvalidId"):
        await stranger.executions(before="' OR 1=1 --")  # type: ignore[arg-type]
    with pytest.raises(InsituError, match="NotConsumer"):
        assert [happened async for happened in stranger.stream(agreement, execution)]  # type: ignore[arg-type]


async def test_a_cursor_does_not_tell_when_somebody_elses_execution_began(provider: World) -> None:
    data = await provider.publish_dataset()
    mine = await provider.buy(await provider.simple_workflow(data))
    own = (await provider.exec(mine)).workflow_execution_id
    await provider.until_events(own, "end")
    theirs = await provider.buy(await provider.simple_workflow(data), "second-consumer")
    foreign = (await provider.exec(theirs, "second-consumer")).workflow_execution_id
    consumer, unknown = client(provider, "consumer"), ExecutionId("wx" + "a" * 26)
    assert [view.workflow_execution_id for view in (await consumer.executions()).executions] == [own]
    for cursor in (foreign, unknown):
        page = await consumer.executions(before=cursor)
        assert (page.executions, page.before) == ((), None)
    seen = await client(provider, "owner").executions(before=foreign)
    assert [view.workflow_execution_id for view in seen.executions] == [own]


async def test_events_and_logs_come_in_one_stream(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(b"hello\n", b"again\n"))
    agreement, execution = await start(provider)
    happened = [entry async for entry in client(provider, "consumer").stream(agreement, execution)]  # type: ignore[arg-type]
    assert "".join(entry.text for entry in happened if isinstance(entry, LogView)) == "hello\nagain\n"
    events = [entry for entry in happened if isinstance(entry, EventView)]
    alone = [event async for event in client(provider, "consumer").events(agreement, execution)]  # type: ignore[arg-type]
    assert events == alone[:-1]
    assert alone[-1].type == "end"


async def test_one_stream_resumes_both_parts_at_any_event(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(b"one\n", b"two\n", b"three\n"))
    agreement, execution = await finish(provider)
    token = await client(provider, "consumer")._tokens.headers()
    address = f"{BASE}/compute/stream/{agreement}/{execution}"

    async def read(last: str | None) -> list[Any]:
        headers = {**token, **({"Last-Event-ID": last} if last else {})}
        return [event async for event in parse_events(await provider.http.get(address, headers=headers))]

    whole = await read(None)
    assert (whole[-1].name, whole[-1].id) == ("end", "end")
    for cut in range(1, len(whole) - 1):
        rest = await read(whole[cut - 1].id)
        before = sorted((event.name, event.data) for event in whole[:cut])
        assert sorted(before + [(event.name, event.data) for event in rest]) == sorted(
            (event.name, event.data) for event in whole
        )
    ended = await provider.http.get(address, headers={**token, "Last-Event-ID": "end"})
    assert (ended.status_code, ended.content) == (204, b"")
    for wrong in ("a/0:1:2", "1/2", "1/0:1:2/3", "-1/"):
        answer = await provider.http.get(address, headers={**token, "Last-Event-ID": wrong})
        assert answer.json()["code"] == "InvalidRequest", wrong


async def test_one_stream_has_no_log_where_the_owners_rules_show_none(provider: World) -> None:
    provider.operator.runtime.script["0-compute-1"] = Ending(log=(b"secret\n",))
    ids = await finish(provider, policy={"algorithms": "any", "logs": "none"})
    happened = [entry async for entry in client(provider, "consumer").stream(*ids)]  # type: ignore[arg-type]
    assert happened
    assert all(isinstance(entry, EventView) for entry in happened)
