"""The follower: every event once and in order, across restarts and reorganisations (C6)."""

from contextlib import aclosing

import anyio
import pytest

from insitu.domain.ledger import AgreementCreated, ComputeFulfilled, DidRegistered, LockFulfilled, grant
from insitu.ports.chain import Block, Cursor
from tests.doubles.chain import register_did
from tests.ports.chain.parties import Parties, events_of, following, next_blocks, read_to

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]


async def head(parties: Parties) -> Cursor:
    newest = await parties.anvil("eth_getBlockByNumber", "latest", False)
    return Cursor(int(newest["number"], 16), newest["hash"])


async def test_without_a_cursor_everything_since_the_deployment_is_read(parties: Parties) -> None:
    end = await head(parties)
    events = events_of(await read_to(parties.chain, end.number))
    assert str(parties.did) in [event.did for event in events if isinstance(event, DidRegistered)]


async def test_events_come_in_order_and_once_with_their_transaction(parties: Parties) -> None:
    start = await head(parties)
    terms = await parties.terms(10)
    agreement, locked = await parties.lock(terms)
    granted = await parties.chain.transact(grant(terms), parties.provider)
    blocks = await read_to(parties.chain, granted.block.number, [start])
    assert [type(event) for event in events_of(blocks)] == [AgreementCreated, LockFulfilled, ComputeFulfilled]
    assert [block.cursor for block in blocks] == [locked.block, granted.block]
    assert [logged.transaction for block in blocks for logged in block.events] == [locked.hash] * 2 + [granted.hash]
    assert all(block.rolled_back_to is None for block in blocks)
    assert blocks[0].timestamp == (await parties.chain.agreement(agreement)).start


async def test_reading_resumes_after_the_newest_cursor(parties: Parties) -> None:
    cursors = []
    for _ in range(4):
        await register_did(parties.chain, parties.owner, parties.provider.address)
        cursors.insert(0, await head(parties))
    blocks = await read_to(parties.chain, cursors[0].number, cursors[2:])
    assert [block.cursor for block in blocks] == [cursors[1], cursors[0]]


async def test_a_waiting_follower_hears_of_a_new_block(parties: Parties) -> None:
    start = await head(parties)
    heard: list[Block] = []

    async def listen() -> None:
        heard.extend(await next_blocks(parties.chain, [start], 1))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await anyio.wait_all_tasks_blocked()
            did = await register_did(parties.chain, parties.owner, parties.provider.address)
    assert [event.did for event in events_of(heard) if isinstance(event, DidRegistered)] == [str(did)]


async def test_many_blocks_are_read_in_stretches_that_name_all_events(parties: Parties) -> None:
    start = await head(parties)
    first = await register_did(parties.chain, parties.owner, parties.provider.address)
    await parties.anvil("anvil_mine", hex(500))
    second = await register_did(parties.chain, parties.owner, parties.provider.address)
    await parties.anvil("anvil_mine", hex(100))
    end = await head(parties)
    blocks = await read_to(parties.chain, end.number, [start])
    assert len(blocks) < 100
    assert blocks[-1].cursor == end
    assert [event.did for event in events_of(blocks) if isinstance(event, DidRegistered)] == [str(first), str(second)]
    assert [block.cursor.number for block in blocks] == sorted({block.cursor.number for block in blocks})


async def test_stretches_and_single_steps_show_the_same_events(parties: Parties) -> None:
    start = await head(parties)
    for _ in range(3):
        await parties.lock(await parties.terms(1))
        await parties.anvil("anvil_mine", hex(9))
    end = await head(parties)
    at_once = await read_to(parties.chain, end.number, [start])
    stepwise, position = [], start
    while position.number < end.number:
        height = min(position.number + 5, end.number)
        found = await parties.anvil("eth_getBlockByNumber", hex(height), False)
        middle = Cursor(height, found["hash"])
        stepwise += [
            block for block in await read_to(parties.chain, height, [position]) if block.cursor.number <= height
        ]
        position = middle
    assert events_of(stepwise) == events_of(at_once)
    times = {block.cursor: block.timestamp for block in stepwise}
    assert all(times[block.cursor] == block.timestamp for block in at_once)


async def test_events_wait_for_their_confirmations(parties: Parties) -> None:
    start = await head(parties)
    await register_did(parties.chain, parties.owner, parties.provider.address)
    registered = await head(parties)
    with anyio.move_on_after(1.5) as waited:
        await next_blocks(parties.chain, [start], 1, confirmations=2)
    assert waited.cancelled_caught
    await parties.anvil("anvil_mine", hex(2))
    (block,) = await next_blocks(parties.chain, [start], 1, confirmations=2)
    assert block.cursor == registered


async def test_a_reorganisation_under_a_waiting_follower_is_reported_with_the_ancestor(parties: Parties) -> None:
    await parties.anvil("anvil_mine", hex(2))
    start = await head(parties)
    gone = await register_did(parties.chain, parties.owner, parties.provider.address)
    lost = await head(parties)
    with anyio.fail_after(60):
        async with aclosing(following(parties.chain, [start])) as follower:
            assert (await anext(follower)).cursor == lost
            await parties.anvil("anvil_reorg", 1, [])
            after = await anext(follower)
            assert after.rolled_back_to == start
            assert after.cursor == await head(parties)
            assert after.cursor != lost
            assert not after.events
            kept = await register_did(parties.chain, parties.owner, parties.provider.address)
            then = await anext(follower)
    assert then.rolled_back_to is None
    assert [event.did for event in events_of([then]) if isinstance(event, DidRegistered)] == [str(kept)]
    assert await parties.chain.did_record(str(gone)) is None


async def test_a_deep_reorganisation_while_nobody_follows_goes_back_to_the_newest_known_cursor(
    parties: Parties,
) -> None:
    cursors: list[Cursor] = []
    for _ in range(6):
        await register_did(parties.chain, parties.owner, parties.provider.address)
        cursors.insert(0, await head(parties))
    await parties.anvil("anvil_reorg", 4, [])
    end = await head(parties)
    blocks = await read_to(parties.chain, end.number, cursors)
    assert blocks[0].rolled_back_to == cursors[4]
    assert [block.rolled_back_to for block in blocks[1:]] == [None] * (len(blocks) - 1)
    assert not events_of(blocks)


@pytest.mark.parametrize("growth", [1, 5, 40])
async def test_a_reorganisation_is_seen_although_the_chain_has_grown(parties: Parties, growth: int) -> None:
    kept = await head(parties)
    for _ in range(2):
        await register_did(parties.chain, parties.owner, parties.provider.address)
    newest = await head(parties)
    await parties.anvil("anvil_reorg", 2, [])
    await parties.anvil("anvil_mine", hex(growth))
    end = await head(parties)
    blocks = await read_to(parties.chain, end.number, [newest, kept])
    assert blocks[0].rolled_back_to == kept
    assert blocks[-1].cursor == end
    assert not events_of(blocks)


async def test_cursors_that_are_all_unknown_lead_back_to_the_deployment(parties: Parties) -> None:
    end = await head(parties)
    strange = [Cursor(end.number, "0x" + "ee" * 32), Cursor(end.number - 1, "0x" + "dd" * 32)]
    blocks = await read_to(parties.chain, end.number, strange)
    assert blocks[0].rolled_back_to is not None
    assert blocks[0].rolled_back_to.number < min(c.number for c in strange)
    everything = events_of(await read_to(parties.chain, end.number))
    assert events_of(blocks) == everything


async def test_two_followers_do_not_disturb_each_other(parties: Parties) -> None:
    start = await head(parties)
    results: list[list[Block]] = []

    async def listen() -> None:
        results.append(await next_blocks(parties.chain, [start], 2))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            group.start_soon(listen)
            for _ in range(2):
                await register_did(parties.chain, parties.owner, parties.provider.address)
    assert results[0] == results[1]
