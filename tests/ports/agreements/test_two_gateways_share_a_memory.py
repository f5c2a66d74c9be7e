"""Two gateways on one PostgreSQL database at once: what SQLite's single writer guarantees must hold here too."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import anyio
import pytest

from insitu.adapters.agreements.store import POSTGRESQL, SqlAgreements
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason
from insitu.domain.ids import AgreementId
from insitu.ports.agreement_changes import AddEvent, Attach, Detach, Enqueue, Judge, Remember, Touch
from insitu.ports.agreement_records import Idempotency, Relay, RelayLimits, Standing
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT
from tests.ports.agreements.agreement_samples import CONSUMER, draft_of, frozen_of, item, sent, started, terms_of
from tests.ports.stores import two_of_one_schema

pytestmark = pytest.mark.needs("postgresql")

Two = tuple[SqlAgreements, SqlAgreements]
MANY = 12


@pytest.fixture
async def two(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    async with two_of_one_schema(request, POSTGRESQL) as (one, other):
        yield SqlAgreements(one), SqlAgreements(other)


async def at_once(two: Two, act: Callable[[SqlAgreements, int], Awaitable[None]]) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(MANY):
            tasks.start_soon(act, two[number % 2], number)


async def test_one_key_starts_one_execution(two: Two) -> None:
    answers: list[tuple[str, bool]] = []

    async def start(agreements: SqlAgreements, _: int) -> None:
        key = Idempotency(CONSUMER, "key", "body")
        execution, new = await agreements.start(AGREEMENT, START, 100, draft_of(), key)
        answers.append((execution.execution_id, new))

    await at_once(two, start)
    assert len({execution for execution, _ in answers}) == 1
    assert [new for _, new in answers].count(True) == 1


async def test_one_execution_of_an_agreement_is_live_and_numbers_have_no_gap(two: Two) -> None:
    refusals: list[str] = []

    async def start(agreements: SqlAgreements, _: int) -> None:
        try:
            await started(agreements)
        except InsituError as error:
            refusals.append(error.code)

    for number in range(3):
        refusals.clear()
        await at_once(two, start)
        assert refusals == ["ExecutionInProgress"] * (MANY - 1)
        (live,) = await two[0].live()
        assert live.plan.number == number
        await two[1].freeze(live.execution_id, frozen_of(), [])


async def test_executions_of_many_agreements_start_beside_each_other(two: Two) -> None:
    async def start(agreements: SqlAgreements, number: int) -> None:
        await started(agreements, AgreementId(f"{number:02x}" * 32))

    await at_once(two, start)
    assert len(await two[0].live()) == MANY


async def test_the_first_outcome_wins_with_its_effects_and_no_others(two: Two) -> None:
    execution = await started(two[0])
    won: list[int] = []
    seen: set[str] = set()

    async def finish(agreements: SqlAgreements, number: int) -> None:
        outcome = frozen_of(phase=Phase.FAILED, receipt=f"0x{number:064x}")
        stored, mine = await agreements.freeze(execution.execution_id, outcome, [Enqueue(item(f"settle:{number}"))])
        assert stored.frozen is not None
        seen.add(stored.frozen.receipt_hash)
        if mine:
            won.append(number)

    await at_once(two, finish)
    assert len(won) == 1
    assert seen == {f"0x{won[0]:064x}"}
    assert [one.key for one in await two[1].due(START)] == [f"settle:{won[0]}"]


async def test_events_of_an_execution_are_numbered_without_a_gap_and_recorded_once(two: Two) -> None:
    execution = await started(two[0])

    async def tell(agreements: SqlAgreements, number: int) -> None:
        await agreements.apply(
            [
                AddEvent(execution.execution_id, "note", START, {"number": number}),
                AddEvent(execution.execution_id, "result", START, {"did": "x"}, once="result"),
            ]
        )

    await at_once(two, tell)
    events = await two[1].events(execution.execution_id)
    assert [event.sequence for event in events] == list(range(1, MANY + 2))
    assert {event.data["number"] for event in events if event.type == "note"} == set(range(MANY))


async def test_events_of_all_executions_are_numbered_without_a_gap(two: Two) -> None:
    executions = [await started(two[0], AgreementId(f"{number:02x}" * 32)) for number in range(MANY)]

    async def note(agreements: SqlAgreements, number: int) -> None:
        await agreements.apply([AddEvent(executions[number].execution_id, "note", START, {"number": number})])

    await at_once(two, note)
    reached, events = await two[1].all_events(0)
    assert reached == MANY
    assert [event.number for event in events] == list(range(1, MANY + 1))
    assert {event.execution_id for event in events} == {execution.execution_id for execution in executions}


async def test_a_reader_never_sees_a_number_before_all_smaller_ones(two: Two) -> None:
    executions = [await started(two[0], AgreementId(f"{number:02x}" * 32)) for number in range(MANY)]
    seen: list[int] = []

    async def note(agreements: SqlAgreements, number: int) -> None:
        for _ in range(3):
            await agreements.apply([AddEvent(executions[number].execution_id, "note", START, {})])

    async def read() -> None:
        position = 0
        while len(seen) < 3 * MANY:
            position, events = await two[1].all_events(position)
            seen.extend(event.number for event in events)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(at_once, two, note)
    assert seen == list(range(1, 3 * MANY + 1))


async def test_an_assertion_is_good_once_at_whichever_gateway(two: Two) -> None:
    refusals: list[str] = []

    async def use(agreements: SqlAgreements, _: int) -> None:
        try:
            await agreements.use_assertion(CONSUMER, "jti", START + timedelta(minutes=5), START)
        except InsituError as error:
            refusals.append(error.code)

    await at_once(two, use)
    assert refusals == ["TokenReused"] * (MANY - 1)


async def test_nothing_that_happens_to_an_agreement_is_counted_twice_or_missed(two: Two) -> None:
    await two[0].apply([Remember(AGREEMENT, terms_of())])

    async def touch(agreements: SqlAgreements, number: int) -> None:
        await agreements.apply([Remember(AGREEMENT, terms_of(seed="02")), Touch(AGREEMENT, number)])

    await at_once(two, touch)
    found = await two[1].agreement(AGREEMENT)
    assert found is not None
    assert (found.attention, found.terms) == (1 + MANY, terms_of())


async def test_promises_stay_within_the_limits_whoever_makes_them(two: Two) -> None:
    refusals: list[str] = []

    async def promise(agreements: SqlAgreements, number: int) -> None:
        agreement = AgreementId(f"{number:064x}")
        changes = [Remember(agreement, terms_of(seed=f"{number:02x}")), Judge(agreement, Standing.RELAYING, START)]
        try:
            relay = Relay(agreement, CONSUMER, f"0x{number:064x}", 1, START)
            await agreements.promise(relay, RelayLimits(3, 10**18), changes)
        except InsituError as error:
            refusals.append(error.code)

    await at_once(two, promise)
    assert refusals == ["RelayLimitReached"] * (MANY - 3)
    assert (await two[0].relayed(CONSUMER, START)).purchases == 3


async def test_an_effect_is_wanted_once_whoever_wants_it(two: Two) -> None:
    async def want(agreements: SqlAgreements, _: int) -> None:
        await agreements.apply([Enqueue(item("grant:1")), Enqueue(item("register:1", after="grant:1"))])

    await at_once(two, want)
    assert [one.key for one in await two[0].due(START)] == ["grant:1"]


async def test_nonces_are_given_out_by_one_gateway_at_a_time(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker takes the next nonce and stores it, like the outbox; nothing else keeps them apart."""
    monkeypatch.setattr("insitu.adapters.postgresql.TURN_SECONDS", 0.01)

    def worker(agreements: SqlAgreements) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            for _ in range(3):
                nonces = [one.nonce for one in await agreements.in_flight()]
                nonce = max(nonces, default=-1) + 1
                await anyio.sleep(0.01)
                await agreements.apply([Enqueue(item(f"i{nonce}")), Attach(sent(nonce, f"i{nonce}"))])

        return work

    async with anyio.create_task_group() as tasks:
        for number in range(4):
            agreements = two[number % 2]
            tasks.start_soon(agreements.work_alone, worker(agreements))
    assert [one.nonce for one in await two[0].in_flight()] == list(range(12))
    reason = Reason(code="TransactionFailed", message="gone")
    await two[1].apply([Detach(sent(11).hash, START, reason)])
    assert [one.key for one in await two[0].due(START)] == ["i11"]
