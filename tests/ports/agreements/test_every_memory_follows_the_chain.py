"""Agreements, cursors and the outbox in the gateway's memory, even if the chain is reorganised."""

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from insitu.domain.execution import Phase, Reason
from insitu.domain.ids import AgreementId
from insitu.ports.agreement_changes import (
    Attach,
    Attend,
    Complete,
    Confirm,
    Detach,
    Enqueue,
    GiveUp,
    Judge,
    MarkLost,
    MarkMined,
    MarkUnmined,
    MoveCursor,
    NoteSettled,
    Postpone,
    Remember,
    RollBack,
    Touch,
)
from insitu.ports.agreement_records import ItemKind, Standing, StoredExecution
from insitu.ports.agreements import EVERY, Agreements
from insitu.ports.chain import Cursor
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, DATA
from tests.ports.agreements.agreement_samples import CONSUMER, OTHER, frozen_of, item, sent, started, terms_of

REASON = Reason(code="TermsMismatch", message="too cheap")
LATER = START + timedelta(seconds=10)


def cursor(number: int) -> Cursor:
    return Cursor(number, "0x" + f"{number:064x}")


async def keys_due(agreements: Agreements) -> list[str]:
    return [one.key for one in await agreements.due(START)]


async def test_cursors_come_newest_first_and_the_oldest_are_forgotten(agreements: Agreements) -> None:
    assert await agreements.cursors() == ()
    await agreements.apply([MoveCursor(cursor(number)) for number in range(300)])
    found = await agreements.cursors()
    assert found[0] == cursor(299)
    assert len(found) == 256
    await agreements.apply([RollBack(cursor(290)), MoveCursor(cursor(291))])
    assert [one.number for one in (await agreements.cursors())[:2]] == [291, 290]


async def test_an_agreement_is_remembered_once_and_judged(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of()), Touch(AGREEMENT, 5)])
    judged = Judge(AGREEMENT, Standing.GRANTING, START, versions={"did": "aa"}, max_executions=7, start=99)
    await agreements.apply([judged, Remember(AGREEMENT, terms_of(seed="02"))])
    found = await agreements.agreement(AGREEMENT)
    assert found is not None
    assert found.terms == terms_of()
    assert (found.standing, found.versions, found.max_executions, found.start) == (
        Standing.GRANTING,
        {"did": "aa"},
        7,
        99,
    )
    await agreements.apply([Judge(AGREEMENT, Standing.REFUSED, START, REASON)])
    found = await agreements.agreement(AGREEMENT)
    assert found is not None
    assert (found.standing, found.reason, found.max_executions) == (Standing.REFUSED, REASON, 7)
    assert await agreements.agreement(OTHER) is None


async def test_what_happens_while_it_is_dealt_with_is_not_missed(agreements: Agreements) -> None:
    await agreements.apply([Touch(OTHER, 1), Remember(AGREEMENT, terms_of()), Touch(AGREEMENT, 5)])
    (seen,) = await agreements.needing_attention(START)
    await agreements.apply([Touch(AGREEMENT, 6), Attend(AGREEMENT, seen.attention)])
    (again,) = await agreements.needing_attention(START)
    await agreements.apply([Attend(AGREEMENT, again.attention)])
    assert await agreements.needing_attention(START) == ()
    await agreements.apply([Attend(AGREEMENT, again.attention, LATER)])
    assert await agreements.next_attention() == LATER
    assert await agreements.needing_attention(START) == ()
    assert len(await agreements.needing_attention(LATER)) == 1


async def test_a_roll_back_asks_for_attention_to_what_was_touched_above_it(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of()), Touch(AGREEMENT, 5), Remember(OTHER, terms_of(seed="02"))])
    for known in await agreements.needing_attention(START):
        await agreements.apply([Attend(known.agreement_id, known.attention)])
    await agreements.apply([RollBack(cursor(5))])
    assert await agreements.needing_attention(START) == ()
    await agreements.apply([RollBack(cursor(4))])
    assert [one.agreement_id for one in await agreements.needing_attention(START)] == [AGREEMENT]


async def test_a_lost_lock_is_remembered_until_it_is_back(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of()), MarkLost(AGREEMENT, LATER)])
    found = await agreements.agreement(AGREEMENT)
    assert found is not None
    assert found.lost_since == LATER
    await agreements.apply([MarkLost(AGREEMENT, None)])
    found = await agreements.agreement(AGREEMENT)
    assert found is not None
    assert found.lost_since is None


async def test_free_grants_are_counted_for_each_consumer_and_time(agreements: Agreements) -> None:
    free = {AgreementId(f"{n:064x}"): terms_of(seed=f"{n:02x}", total=0) for n in range(1, 4)}
    await agreements.apply([Remember(one, terms) for one, terms in free.items()])
    await agreements.apply([Remember(AGREEMENT, terms_of()), Judge(AGREEMENT, Standing.GRANTED, START)])
    ids = list(free)
    await agreements.apply([Judge(ids[0], Standing.GRANTING, START), Judge(ids[1], Standing.GRANTED, LATER)])
    await agreements.apply([Judge(ids[0], Standing.GRANTED, LATER)])
    assert await agreements.free_grants(CONSUMER, START) == 2
    assert await agreements.free_grants(CONSUMER, LATER) == 1


@pytest.mark.parametrize(("now", "found"), [(1099, 0), (1100, 1)])
async def test_agreements_that_ended_with_an_open_charge_are_found(
    agreements: Agreements, now: int, found: int
) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of(timeout=100))])
    execution = await started(agreements)
    await agreements.apply([Judge(AGREEMENT, Standing.GRANTED, START, start=1000)])
    assert await agreements.unsettled(now) == ()
    await agreements.freeze(execution.execution_id, frozen_of(phase=Phase.FAILED), [])
    assert len(await agreements.unsettled(now)) == found
    assert len(await agreements.executions(agreement_id=AGREEMENT, charging=True, limit=EVERY)) == 1


@pytest.mark.parametrize(("now", "found"), [(1099, 1), (1100, 0)])
async def test_the_price_of_an_agreement_is_returnable_until_it_expires(
    agreements: Agreements, now: int, found: int
) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of(timeout=100))])
    await agreements.apply([Judge(AGREEMENT, Standing.GRANTED, START, versions={DATA: "d2" * 32}, start=1000)])
    assert len(await agreements.returnable(DATA, now)) == found
    assert await agreements.returnable("did:nv:" + "77" * 32, now) == ()


async def test_items_are_due_in_order_and_after_those_they_wait_for(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("b", after="a")), Enqueue(item("a")), Enqueue(item("later", due=LATER))])
    assert await keys_due(agreements) == ["a"]
    assert await agreements.next_due() == START
    await agreements.apply([Complete("a")])
    assert await keys_due(agreements) == ["b"]
    await agreements.apply([Postpone("b", LATER, REASON)])
    assert await keys_due(agreements) == []
    assert await agreements.next_due() == LATER
    found = await agreements.item("b")
    assert found is not None
    assert found.attempts == 1


async def test_items_that_may_share_a_transaction_are_found_before_their_time(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a", due=LATER, batch=True)), Enqueue(item("b", due=LATER))])
    await agreements.apply([Enqueue(item("c", due=LATER, batch=True)), Enqueue(item("d", after="b", batch=True))])
    assert [one.key for one in await agreements.batchable()] == ["a", "c"]
    await agreements.apply([Postpone("a", LATER, REASON)])
    assert [one.key for one in await agreements.batchable()] == ["c"]


async def test_an_effect_is_wanted_once_unless_it_is_wanted_again(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a")), Enqueue(item("a"))])
    assert await keys_due(agreements) == ["a"]
    await agreements.apply([Complete("a"), Enqueue(item("a"))])
    assert await keys_due(agreements) == []
    await agreements.apply([Enqueue(item("a"), again=True)])
    assert await keys_due(agreements) == ["a"]


async def test_what_waits_for_a_lost_cause_is_given_up_with_it(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a")), Enqueue(item("b", after="a")), Enqueue(item("c", after="b"))])
    await agreements.apply([GiveUp("a", REASON)])
    await agreements.apply([Complete("a")])
    assert await keys_due(agreements) == []


async def test_what_an_execution_left_undone_is_shown_with_it_until_somebody_has_done_it(
    agreements: Agreements,
) -> None:
    execution_id = (await started(agreements)).execution_id
    await agreements.apply([Enqueue(replace(item("a"), execution_id=execution_id)), Enqueue(item("b"))])
    await agreements.apply([Enqueue(replace(item("c"), execution_id=execution_id, kind=ItemKind.DERIVED))])
    assert (await agreements.given_up(), (await known(agreements)).given_up) == ((), None)
    await agreements.apply([GiveUp("a", REASON), GiveUp("b", REASON), GiveUp("c", REASON)])
    assert [(one.key, one.reason) for one in await agreements.given_up()] == [("a", REASON)]
    assert (await known(agreements)).given_up == REASON
    await agreements.apply([NoteSettled(execution_id, "0x" + "01" * 32)])
    assert (await agreements.given_up(), (await known(agreements)).given_up) == ((), None)


async def known(agreements: Agreements) -> StoredExecution:
    (only,) = await agreements.executions(agreement_id=AGREEMENT)
    return only


async def test_a_transaction_carries_its_items_until_it_is_confirmed(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a")), Enqueue(item("b")), Attach(sent(8, "b")), Attach(sent(7, "a"))])
    assert await keys_due(agreements) == []
    assert [one.nonce for one in await agreements.in_flight()] == [7, 8]
    (first, second) = await agreements.in_flight()
    assert (first.items, second.items) == (("a",), ("b",))
    assert first.raw == b"raw\x07"
    await agreements.apply([MarkMined(first.hash, cursor(3)), Complete("a")])
    assert (await agreements.in_flight())[0].block == cursor(3)
    await agreements.apply([Confirm(first.hash)])
    assert [one.nonce for one in await agreements.in_flight()] == [8]


async def test_a_rolled_back_transaction_is_in_flight_again(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a")), Attach(sent(7, "a"))])
    await agreements.apply([MarkMined(sent(7).hash, cursor(3)), Confirm(sent(7).hash), RollBack(cursor(3))])
    assert await agreements.in_flight() == ()
    await agreements.apply([RollBack(cursor(2))])
    (again,) = await agreements.in_flight()
    assert again.block is None
    await agreements.apply([MarkMined(again.hash, cursor(4)), MarkUnmined(again.hash)])
    assert (await agreements.in_flight())[0].block is None


async def test_items_of_a_transaction_that_will_never_count_are_due_again(agreements: Agreements) -> None:
    await agreements.apply([Enqueue(item("a")), Enqueue(item("b")), Attach(sent(7, "a", "b")), Complete("a")])
    await agreements.apply([GiveUp("b", REASON)])
    await agreements.apply([Detach(sent(7).hash, START, REASON)])
    assert await agreements.in_flight() == ()
    assert await keys_due(agreements) == ["a"]


async def test_what_works_alone_is_never_beside_itself(agreements: Agreements, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insitu.adapters.postgresql.TURN_SECONDS", 0.01)
    working = 0
    seen: list[int] = []

    async def work() -> None:
        nonlocal working
        working += 1
        seen.append(working)
        await anyio.sleep(0.02)
        working -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(agreements.work_alone, work)
    assert seen == [1, 1, 1]
