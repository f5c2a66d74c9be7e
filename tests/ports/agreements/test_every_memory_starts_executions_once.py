"""Executions in the gateway's memory: numbers, idempotency keys, one live, frozen once, events in order."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from insitu.adapters.agreements import lists
from insitu.domain.agreement import Settlement, SignedSettlement
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.ports.agreement_changes import (
    Acknowledge,
    AddEvent,
    AddTransition,
    AddUpload,
    Attach,
    DecideCharge,
    Detach,
    Enqueue,
    Judge,
    NoteRegistered,
    NoteSettled,
    Remember,
)
from insitu.ports.agreement_records import FreeExecution, Idempotency, Standing, Upload
from insitu.ports.agreements import Agreements
from insitu.ports.bought_agreements import BoughtFilter, Used
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, DATA
from tests.ports.agreements.agreement_samples import (
    CONSUMER,
    OTHER,
    PROVIDER,
    draft_of,
    frozen_of,
    item,
    sent,
    started,
    terms_of,
    transition,
)

REASON = Reason(code="TransactionFailed", message="lost")
KEY = Idempotency(CONSUMER, "key", "body")


async def test_an_execution_comes_back_as_it_was_stored(agreements: Agreements) -> None:
    execution, new = await agreements.start(AGREEMENT, START, 100, draft_of())
    assert new
    assert execution.plan == draft_of()(0)[0]
    assert execution.dossier == draft_of()(0)[1]
    assert execution.created_at == START
    assert execution.live
    assert execution.phase is Phase.REGISTERED
    assert await agreements.execution(execution.execution_id) == execution
    assert await agreements.execution(ExecutionId("wx" + "a" * 26)) is None


async def test_the_same_key_gives_the_first_answer_and_another_body_is_a_conflict(agreements: Agreements) -> None:
    first, _ = await agreements.start(AGREEMENT, START, 100, draft_of(), KEY)
    again, new = await agreements.start(AGREEMENT, START + timedelta(hours=1), 100, draft_of(), KEY)
    assert (again, new) == (first, False)
    assert await agreements.repeated(KEY) == first
    with pytest.raises(InsituError, match="IdempotencyConflict"):
        await agreements.start(AGREEMENT, START, 100, draft_of(), Idempotency(CONSUMER, "key", "another body"))


async def test_keys_of_different_callers_do_not_meet(agreements: Agreements) -> None:
    await agreements.start(AGREEMENT, START, 100, draft_of(), KEY)
    assert await agreements.repeated(Idempotency(PROVIDER, "key", "body")) is None
    _, new = await agreements.start(OTHER, START, 100, draft_of(OTHER), Idempotency(PROVIDER, "key", "body"))
    assert new


async def test_one_execution_of_an_agreement_is_live_at_a_time(agreements: Agreements) -> None:
    first = await started(agreements)
    with pytest.raises(InsituError, match="ExecutionInProgress"):
        await started(agreements)
    await started(agreements, OTHER)
    await agreements.freeze(first.execution_id, frozen_of(), [])
    second = await started(agreements)
    assert second.plan.number == 1
    assert {one.execution_id for one in await agreements.live()} == {
        second.execution_id,
        (await agreements.executions(agreement_id=OTHER))[0].execution_id,
    }


async def test_of_many_that_start_at_once_one_does(agreements: Agreements) -> None:
    outcomes: list[str] = []

    async def try_to_start() -> None:
        try:
            outcomes.append((await started(agreements)).execution_id)
        except InsituError as error:
            outcomes.append(error.code)

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(try_to_start)
    assert outcomes.count("ExecutionInProgress") == 7


async def test_numbers_end_at_the_limit(agreements: Agreements) -> None:
    for _ in range(2):
        execution = await started(agreements)
        await agreements.freeze(execution.execution_id, frozen_of(), [])
    with pytest.raises(InsituError, match="ExecutionLimitReached"):
        await agreements.start(AGREEMENT, START, 2, draft_of())


async def test_the_first_outcome_wins_with_all_that_follows_from_it(agreements: Agreements) -> None:
    execution = await started(agreements)
    first, second = frozen_of("aa" * 32), frozen_of(phase=Phase.FAILED)
    stored, mine = await agreements.freeze(execution.execution_id, first, [Enqueue(item("settle:1"))])
    assert mine
    assert stored.frozen == first
    assert stored.phase is Phase.PUBLISHING
    stored, mine = await agreements.freeze(execution.execution_id, second, [Enqueue(item("settle:2"))])
    assert not mine
    assert stored.frozen == first
    assert [one.key for one in await agreements.due(START)] == ["settle:1"]
    await agreements.apply([NoteRegistered(execution.execution_id, "0xabc")])
    found = await agreements.execution(execution.execution_id)
    assert found is not None
    assert found.phase is Phase.SUCCEEDED
    assert found.registration == "0xabc"


async def test_an_outcome_gives_way_while_nothing_of_it_is_on_chain_or_on_its_way(agreements: Agreements) -> None:
    execution = await started(agreements)
    first, second = frozen_of("aa" * 32), frozen_of(phase=Phase.FAILED, receipt="0xother")
    of_it = replace(item("settle:1"), execution_id=execution.execution_id)
    await agreements.freeze(execution.execution_id, first, [Enqueue(of_it)])
    for wrong in (None, "0xother"):
        stored, mine = await agreements.freeze(execution.execution_id, second, [], instead_of=wrong)
        assert (stored.frozen, mine) == (first, False)

    await agreements.apply([Attach(sent(1, "settle:1"))])
    stored, mine = await agreements.freeze(execution.execution_id, second, [], instead_of=first.receipt_hash)
    assert (stored.frozen, mine) == (first, False)

    await agreements.apply([Detach(sent(1).hash, START, REASON)])
    again = replace(of_it, payload={"index": 1})
    stored, mine = await agreements.freeze(
        execution.execution_id, second, [Enqueue(again)], instead_of=first.receipt_hash
    )
    assert (stored.frozen, mine) == (second, True)
    assert [dict(one.payload) for one in await agreements.due(START)] == [{"index": 1}]
    assert await agreements.needless_blobs(("aa" * 32,)) == ("aa" * 32,)


async def test_a_registered_result_does_not_give_way(agreements: Agreements) -> None:
    execution = await started(agreements)
    first = frozen_of("aa" * 32)
    await agreements.freeze(execution.execution_id, first, [NoteRegistered(execution.execution_id, "0xabc")])
    stored, mine = await agreements.freeze(
        execution.execution_id, frozen_of(phase=Phase.FAILED), [], instead_of=first.receipt_hash
    )
    assert (stored.frozen, mine) == (first, False)


async def test_an_outcome_of_an_unknown_execution_is_refused(agreements: Agreements) -> None:
    with pytest.raises(InsituError, match="ExecutionUnknown"):
        await agreements.freeze(ExecutionId("wx" + "a" * 26), frozen_of(), [])


async def test_transitions_are_recorded_once_and_number_the_events(agreements: Agreements) -> None:
    execution = await started(agreements)
    additions = [AddTransition(execution.execution_id, transition(n)) for n in (1, 2)]
    await agreements.apply([*additions, additions[0]])
    await agreements.apply([AddEvent(execution.execution_id, "result", START, {"did": "x"}, once="result")] * 2)
    await agreements.apply([AddTransition(execution.execution_id, transition(3, Phase.EXECUTING))])
    events = await agreements.events(execution.execution_id)
    assert [(event.sequence, event.type) for event in events] == [
        (1, "phase"),
        (2, "phase"),
        (3, "result"),
        (4, "phase"),
    ]
    assert [one.sequence for one in await agreements.events(execution.execution_id, after=2)] == [3, 4]
    found = await agreements.execution(execution.execution_id)
    assert found is not None
    assert [one.sequence for one in found.history] == [1, 2, 3]
    assert found.phase is Phase.EXECUTING


async def test_a_change_that_fails_takes_the_others_back(agreements: Agreements) -> None:
    execution = await started(agreements)
    unknown = ExecutionId("wx" + "a" * 26)
    with pytest.raises(InsituError, match="StorageFailed"):
        await agreements.apply([Acknowledge(execution.execution_id), AddEvent(unknown, "end", START)])
    found = await agreements.execution(execution.execution_id)
    assert found is not None
    assert not found.acknowledged


async def test_a_charge_is_decided_once(agreements: Agreements) -> None:
    execution = await started(agreements)
    settlement = Settlement(index=0, charge=13, receipt_hash="0x" + "ee" * 32)
    signed = SignedSettlement(terms=terms_of(), settlement=settlement, signature="0x" + "1b" * 65)
    await agreements.apply([DecideCharge(execution.execution_id, 13, signed)])
    await agreements.apply([DecideCharge(execution.execution_id, 0, signed)])
    await agreements.apply([NoteSettled(execution.execution_id, "0xdef")])
    found = await agreements.execution(execution.execution_id)
    assert found is not None
    assert (found.charge, found.settlement, found.settlement_transaction) == (13, signed, "0xdef")


async def test_what_a_further_charge_depends_on_is_found_among_many(agreements: Agreements) -> None:
    """A thousand executions may have ended without a charge; they are not read for the next one."""
    settlement = Settlement(index=0, charge=0, receipt_hash="0x" + "ee" * 32)
    signed = SignedSettlement(terms=terms_of(), settlement=settlement, signature="0x" + "1b" * 65)
    ended = []
    for charge in (None, 0, 13, 0):
        execution = await started(agreements)
        decided = [] if charge is None else [DecideCharge(execution.execution_id, charge, signed)]
        await agreements.freeze(execution.execution_id, frozen_of(), decided)
        ended.append(execution.execution_id)
    await started(agreements)
    found = await agreements.executions(agreement_id=AGREEMENT, charging=True)
    assert [one.execution_id for one in found] == [ended[2], ended[0]]


async def test_executions_are_found_by_agreement_consumer_and_input(agreements: Agreements) -> None:
    one, two = await started(agreements), await started(agreements, OTHER, START + timedelta(seconds=1))
    assert await agreements.executions() == (two, one)
    assert await agreements.executions(agreement_id=OTHER) == (two,)
    assert await agreements.executions(consumer=CONSUMER, limit=1) == (two,)
    assert await agreements.executions(consumer=PROVIDER) == ()
    assert await agreements.executions(consumer=PROVIDER, input_dids=[DATA]) == (two, one)
    assert await agreements.executions(consumer=PROVIDER, input_dids=[DATA], agreement_id=AGREEMENT) == (one,)
    assert await agreements.executions(input_dids=[]) == ()
    assert await agreements.input_dids() == (DATA,)
    assert await agreements.executions(reading=DATA) == (two, one)
    assert await agreements.executions(reading="did:nv:" + "0" * 64) == ()


async def test_executions_are_listed_page_by_page_without_gaps(agreements: Agreements) -> None:
    expected = []
    for _ in range(3):  # all at one moment
        for agreement in (AGREEMENT, OTHER):
            execution = await started(agreements, agreement)
            await agreements.freeze(execution.execution_id, frozen_of(), [])
            expected.append(execution.execution_id)
    pages, before = list[list[str]](), None
    while page := await agreements.executions(limit=2, before=before):
        pages.append([found.execution_id for found in page])
        before = page[-1].execution_id
        if len(pages) == 1:
            await started(agreements)  # one that is newer than the first page belongs to none after it
    assert [len(page) for page in pages] == [2, 2, 2]
    assert sorted(found for page in pages for found in page) == sorted(expected)
    unknown = ExecutionId("wx" + "a" * 26)
    assert await agreements.executions(before=unknown) == ()


async def test_executions_that_go_on_are_listed_apart_from_those_that_have_ended(agreements: Agreements) -> None:
    one, two = await started(agreements), await started(agreements, OTHER)
    ended, _ = await agreements.freeze(one.execution_id, frozen_of(), [])
    assert await agreements.executions(live=True) == (two,)
    assert [found.execution_id for found in await agreements.executions(live=False)] == [ended.execution_id]


async def test_files_of_an_expired_result_go_unless_somebody_else_needs_them(agreements: Agreements) -> None:
    shared, alone, uploaded = "aa" * 32, "bb" * 32, "cc" * 32
    first, second = await started(agreements), await started(agreements, OTHER)
    await agreements.freeze(first.execution_id, frozen_of(shared, alone, uploaded), [])
    await agreements.freeze(second.execution_id, frozen_of(shared), [])
    await agreements.apply([AddUpload(Upload("u1", CONSUMER, uploaded, 3, START))])
    assert await agreements.expired_results(START) == ()
    expired = await agreements.expired_results(START + timedelta(days=31))
    assert {one.execution_id for one in expired} == {first.execution_id, second.execution_id}
    assert await agreements.results_removed(first.execution_id) == (alone,)
    assert await agreements.results_removed(second.execution_id) == (shared,)
    assert await agreements.expired_results(START + timedelta(days=31)) == ()


async def test_a_blob_is_needed_while_a_kept_result_or_an_upload_names_it(agreements: Agreements) -> None:
    result, uploaded, stray = "aa" * 32, "cc" * 32, "dd" * 32
    execution = await started(agreements)
    await agreements.freeze(execution.execution_id, frozen_of(result), [])
    await agreements.apply([AddUpload(Upload("u1", CONSUMER, uploaded, 3, START))])
    assert await agreements.needless_blobs([stray, result, uploaded]) == (stray,)
    await agreements.results_removed(execution.execution_id)
    assert await agreements.needless_blobs([stray, result, uploaded]) == (stray, result)
    assert await agreements.needless_blobs([]) == ()


async def test_an_upload_comes_back(agreements: Agreements) -> None:
    upload = Upload("u1", CONSUMER, "cc" * 32, 3, START)
    await agreements.apply([AddUpload(upload)])
    assert await agreements.upload("u1") == upload
    assert await agreements.upload("u2") is None


async def test_an_assertion_is_good_once_until_a_minute_after_it_expires(agreements: Agreements) -> None:
    expires = START + timedelta(minutes=5)
    await agreements.use_assertion(CONSUMER, "j1", expires, START)
    await agreements.use_assertion(PROVIDER, "j1", expires, START)
    for minutes in (4, 6):
        with pytest.raises(InsituError, match="TokenReused"):
            await agreements.use_assertion(CONSUMER, "j1", expires, START + timedelta(minutes=minutes))
    await agreements.use_assertion(CONSUMER, "j1", expires, START + timedelta(minutes=6, milliseconds=1))


async def test_nothing_starts_under_an_agreement_that_is_being_closed(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of())])
    await agreements.close(AGREEMENT, 0, [Enqueue(item("close:1"))], None)
    known = await agreements.agreement(AGREEMENT)
    assert known is not None
    assert known.closing
    assert await agreements.item("close:1") is not None
    with pytest.raises(InsituError, match="AgreementClosing"):
        await started(agreements)


async def test_an_agreement_is_not_closed_while_an_execution_can_still_change_its_cost(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of())])
    execution = await started(agreements)

    async def refused(number: int) -> None:
        with pytest.raises(InsituError, match="ExecutionInProgress"):
            await agreements.close(AGREEMENT, number, [Enqueue(item("close:1"))], None)
        known = await agreements.agreement(AGREEMENT)
        assert known is not None
        assert not known.closing
        assert await agreements.item("close:1") is None

    await refused(1)
    await agreements.freeze(execution.execution_id, frozen_of(phase=Phase.FAILED), [])
    await refused(0)
    settlement = Settlement(index=0, charge=0, receipt_hash="0x" + "ee" * 32)
    signed = SignedSettlement(terms=terms_of(), settlement=settlement, signature="0x")
    await agreements.apply([DecideCharge(execution.execution_id, 0, signed)])
    await refused(1)
    await agreements.apply([NoteSettled(execution.execution_id, "0x01")])
    await agreements.close(AGREEMENT, 1, [], None)


async def test_the_gas_of_a_close_is_reserved_once_and_within_the_budget(agreements: Agreements) -> None:
    await agreements.apply([Remember(AGREEMENT, terms_of()), Remember(OTHER, terms_of(seed="02"))])
    gas = (FreeExecution(6, 10), START)
    await agreements.close(AGREEMENT, 0, [], gas)
    await agreements.close(AGREEMENT, 0, [], gas)
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await agreements.close(OTHER, 0, [], gas)
    known = await agreements.agreement(OTHER)
    assert known is not None
    assert not known.closing


async def test_events_of_all_executions_have_one_order_and_are_found_by_who_may_see_them(
    agreements: Agreements, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await started(agreements), await started(agreements, OTHER)
    for number in range(3):
        await agreements.apply(
            [AddEvent(execution.execution_id, "note", START, {"at": number}) for execution in (second, first)]
        )
    reached, events = await agreements.all_events(0)
    assert reached == 6
    assert [(event.number, event.execution_id, event.sequence, event.data["at"]) for event in events] == [
        (number + 1, (second, first)[number % 2].execution_id, number // 2 + 1, number // 2) for number in range(6)
    ]
    assert await agreements.all_events(None) == (6, ())
    assert await agreements.all_events(6) == (6, ())
    assert await agreements.all_events(9) == (6, ()), "a position of another memory"

    async def numbers(after: int, **wanted: Any) -> list[int]:
        return [event.number for event in (await agreements.all_events(after, **wanted))[1]]

    stranger = Address("0x" + "99" * 20)
    assert await numbers(4, consumer=first.plan.consumer) == [5, 6]
    assert await numbers(0, consumer=stranger, input_dids=()) == []
    assert await numbers(3, consumer=stranger, input_dids=(DATA,)) == [4, 5, 6]
    monkeypatch.setattr(lists, "EVENTS_AT_ONCE", 2)
    assert (await agreements.all_events(0))[0] == 2, "no query is longer for a position long ago"
    assert await agreements.all_events(0, consumer=stranger) == (2, ())
    assert await agreements.all_events(0, until=1) == (1, events[:1])


async def test_a_list_of_agreements_reads_no_outcomes(agreements: Agreements) -> None:
    """One names thousands of files, and a page has up to a hundred agreements, each with any number of executions."""
    await agreements.apply([Remember(AGREEMENT, terms_of())])
    execution = await started(agreements)
    large = {"payload": "x" * 20_000_000, "delivered": False, "more": 1}
    frozen = frozen_of(phase=Phase.FAILED).model_copy(update={"envelope": large})
    await agreements.freeze(execution.execution_id, frozen, [])
    tracemalloc.start()
    try:
        ((_, used),) = await agreements.purchases(BoughtFilter(now=0))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert used == Used(1, 0, 0, 0), "what its consumer wrote into it says nothing"


async def test_a_pause_that_stops_what_runs_stays_one_until_it_ends(agreements: Agreements) -> None:
    for stopping in (False, True, False):
        await agreements.pause(DATA, stopping)
    await agreements.pause("did:nv:" + "9" * 64, stopping=False)
    assert await agreements.paused() == {DATA: True, "did:nv:" + "9" * 64: False}
    with pytest.raises(InsituError, match="AssetRetired"):
        await started(agreements)
    await agreements.pause(DATA, None)
    assert await agreements.paused() == {"did:nv:" + "9" * 64: False}
    assert await started(agreements)


async def test_agreements_are_listed_with_what_was_used_of_them(agreements: Agreements) -> None:
    for known, seed in ((AGREEMENT, "01"), (OTHER, "02")):
        await agreements.apply([Remember(known, terms_of(seed=seed, timeout=100))])
    execution = await started(agreements)
    assert [(known.agreement_id, used) for known, used in await agreements.purchases(BoughtFilter(now=0))] == [
        (OTHER, Used(0, 0, 0, 0)),
        (AGREEMENT, Used(1, 0, 0, 0)),
    ]
    await agreements.freeze(
        execution.execution_id, frozen_of(phase=Phase.FAILED).model_copy(update={"delivered": False}), []
    )
    settlement = SignedSettlement(
        terms=terms_of(), settlement=Settlement(index=0, charge=13, receipt_hash="0x" + "ee" * 32), signature="0x"
    )
    await agreements.apply([DecideCharge(execution.execution_id, 13, settlement)])

    async def ids(**wanted: Any) -> list[str]:
        return [known.agreement_id for known, _ in await agreements.purchases(BoughtFilter(**{"now": 0, **wanted}))]

    (_, used), *_ = await agreements.purchases(BoughtFilter(now=0, before=OTHER))
    assert used == Used(1, 1, 13, 0)
    await agreements.apply([NoteSettled(execution.execution_id, "0x01")])
    (_, used), *_ = await agreements.purchases(BoughtFilter(now=0, before=OTHER))
    assert used == Used(1, 1, 13, 13)
    await agreements.apply([Judge(AGREEMENT, Standing.GRANTED, START, versions={DATA: "d2" * 32}, start=1000)])
    await agreements.apply([Remember(AGREEMENT, terms_of(seed="01", timeout=100))])
    assert await ids() == [OTHER, AGREEMENT], "what is remembered again keeps its place"
    assert await ids(limit=1) == [OTHER]
    assert await ids(before=AGREEMENT) == await ids(before=AgreementId("99" * 32)) == []
    assert await ids(consumer=CONSUMER.upper().replace("0X", "0x")) == [OTHER, AGREEMENT]
    assert await ids(consumer=PROVIDER) == []
    assert await ids(reading=DATA) == [AGREEMENT]
    assert await ids(live=True, now=1099) == [OTHER, AGREEMENT]
    assert (await ids(live=True, now=1100), await ids(live=False, now=1100)) == ([OTHER], [AGREEMENT])
    await agreements.close(OTHER, 0, [], None)
    assert await ids(live=False, now=0) == [OTHER]
