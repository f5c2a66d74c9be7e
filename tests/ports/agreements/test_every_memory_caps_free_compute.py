"""Compute that pays the provider nothing: reserved while it runs, counted for a day, limited for all strangers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import pytest

from insitu.domain.agreement import Settlement, SignedSettlement
from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge, Phase
from insitu.domain.ids import Address, AgreementId
from insitu.domain.plan import ExecutionPlan
from insitu.ports.agreement_changes import DecideCharge, NoteSettled, Remember
from insitu.ports.agreement_records import Dossier, StoredExecution
from insitu.ports.agreements import Agreements
from insitu.ports.free_compute import ComputeCaps
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, LIMITS, plan_of
from tests.ports.agreements.agreement_samples import CONSUMER, OTHER, PROVIDER, dossier, frozen_of, terms_of

LIMIT = LIMITS.max_execution_seconds
ONE = ComputeCaps(strangers=LIMIT)
ENDED = timedelta(seconds=9)
"""From the start of each execution to its end."""


def draft_of(agreement: AgreementId, consumer: Address) -> Callable[[int], tuple[ExecutionPlan, Dossier]]:
    def draft(number: int) -> tuple[ExecutionPlan, Dossier]:
        return plan_of(agreement=agreement, number=number).model_copy(update={"consumer": consumer}), dossier()

    return draft


async def start(
    agreements: Agreements,
    caps: ComputeCaps,
    agreement: AgreementId = AGREEMENT,
    *,
    by: Address = CONSUMER,
    at: datetime = START,
) -> StoredExecution:
    return (await agreements.start(agreement, at, 100, draft_of(agreement, by), caps=caps))[0]


async def end(agreements: Agreements, execution: StoredExecution, seconds: int, *, charge: int | None = 0) -> None:
    """End an execution a few seconds after it was started, with so many seconds of compute."""
    ended = frozen_of(phase=Phase.FAILED)
    outcome = ended.outcome.model_copy(update={"at": execution.created_at + ENDED})
    frozen = ended.model_copy(update={"outcome": outcome, "free_seconds": seconds, "rule": Charge.NEVER})
    settlement = Settlement(index=execution.plan.number, charge=charge or 0, receipt_hash="0x" + "ee" * 32)
    signed = SignedSettlement(terms=terms_of(), settlement=settlement, signature="0x" + "12" * 65)
    decided = [DecideCharge(execution.execution_id, charge, signed)] if charge is not None else []
    await agreements.freeze(execution.execution_id, frozen, decided)


async def refused(agreements: Agreements, caps: ComputeCaps, agreement: AgreementId = OTHER, **how: object) -> str:
    with pytest.raises(InsituError, match="FreeComputeExhausted") as error:
        await start(agreements, caps, agreement, **how)  # type: ignore[arg-type]
    assert await agreements.executions(agreement_id=agreement, live=True) == ()
    return error.value.detail


async def left(
    agreements: Agreements,
    caps: ComputeCaps,
    agreement: AgreementId | None = None,
    *,
    by: Address = CONSUMER,
    at: datetime = START,
) -> tuple[str, int] | None:
    found = await agreements.compute_left(caps, by, agreement, at)
    return (found.of, found.left) if found is not None else None


@pytest.mark.parametrize("count", [2, 8])
async def test_of_many_accounts_that_begin_at_once_only_as_many_do_as_the_cap_has_room_for(
    agreements: Agreements, count: int
) -> None:
    began: list[str] = []

    async def begin(number: int) -> None:
        account = Address("0x" + f"{number:040x}")
        try:
            await start(agreements, ONE, AgreementId(f"{number:064x}"), by=account)
            began.append("began")
        except InsituError as error:
            began.append(error.code)

    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(begin, number)
    assert sorted(began) == ["FreeComputeExhausted"] * (count - 1) + ["began"]


async def test_what_runs_counts_with_its_limit_and_what_ended_with_what_it_took(agreements: Agreements) -> None:
    caps = ComputeCaps(strangers=2 * LIMIT)
    execution = await start(agreements, caps)
    assert await left(agreements, caps) == ("strangers", LIMIT)
    await end(agreements, execution, 100)
    assert await left(agreements, caps) == ("strangers", 2 * LIMIT - 100)
    await end(agreements, await start(agreements, caps), 0)
    assert await left(agreements, caps) == ("strangers", 2 * LIMIT - 100), "the infrastructure's end takes nothing"


async def test_something_that_is_left_is_enough_to_begin(agreements: Agreements) -> None:
    await end(agreements, await start(agreements, ONE), LIMIT - 1)
    await start(agreements, ONE)
    assert "when an execution that is running ends" in await refused(agreements, ONE)


async def test_a_day_after_its_end_it_counts_no_more_and_the_refusal_says_when_that_is(agreements: Agreements) -> None:
    caps, hour = ComputeCaps(strangers=100), timedelta(hours=1)
    for number, seconds in enumerate((70, 20, 40)):
        await end(agreements, await start(agreements, caps, at=START + number * hour), seconds)
    again = START + ENDED + timedelta(days=1)
    found = await agreements.compute_left(caps, CONSUMER, None, START + 3 * hour)
    assert found is not None
    assert (found.left, found.again) == (0, again)
    assert again.strftime("at %Y-%m-%dT%H:%M:%SZ") in await refused(agreements, caps, at=again - timedelta(seconds=1))
    assert await left(agreements, caps, at=again) == ("strangers", 40)
    await start(agreements, caps, OTHER, at=again)


async def test_the_refusal_of_a_request_says_after_how_many_seconds(agreements: Agreements) -> None:
    await end(agreements, await start(agreements, ONE), LIMIT)
    with pytest.raises(InsituError) as error:
        await start(agreements, ONE, OTHER, at=START + ENDED)
    assert error.value.context == {"limit": LIMIT, "retryAfter": 24 * 3600 + 1}


async def test_agreements_and_consumers_have_caps_of_their_own(agreements: Agreements) -> None:
    caps = ComputeCaps(agreement=100, consumer=150, strangers=10**6)
    await end(agreements, await start(agreements, caps), 99)
    assert await left(agreements, caps, AGREEMENT) == ("agreement", 1)
    await end(agreements, await start(agreements, caps), 2)
    assert "this agreement" in await refused(agreements, caps, AGREEMENT)
    assert await left(agreements, caps, OTHER) == ("consumer", 49)
    await end(agreements, await start(agreements, caps, OTHER), 50)
    assert "this account" in await refused(agreements, caps, AgreementId("0c" * 32))
    assert await left(agreements, caps, by=PROVIDER) == ("consumer", 150)


@pytest.mark.parametrize("charge", [None, 13])
async def test_what_runs_under_an_agreement_that_owes_its_price_is_paid(
    agreements: Agreements, charge: int | None
) -> None:
    caps = ComputeCaps(agreement=100, consumer=100, strangers=100, pays=True)
    await end(agreements, await start(agreements, caps), 99)
    assert await left(agreements, caps, AGREEMENT) == ("agreement", 1)
    await end(agreements, await start(agreements, caps), LIMIT, charge=charge)
    assert await left(agreements, caps, AGREEMENT) is None
    assert await left(agreements, caps, OTHER) == ("agreement", 100), "all of it is paid, also what ran before"
    await end(agreements, await start(agreements, caps), LIMIT)
    await start(agreements, caps)
    assert await left(agreements, caps, OTHER) == ("agreement", 100)


async def test_a_price_that_does_not_reach_the_provider_pays_for_nothing(agreements: Agreements) -> None:
    await end(agreements, await start(agreements, ONE), LIMIT, charge=13)
    assert await left(agreements, ONE, AGREEMENT) == ("strangers", 0)
    await refused(agreements, ONE, AGREEMENT)


async def test_who_computes_for_nothing_keeps_no_buyers_out(agreements: Agreements) -> None:
    await end(agreements, await start(agreements, ONE), LIMIT)
    await refused(agreements, ONE)
    buyers = replace(ONE, pays=True)
    await end(agreements, await start(agreements, buyers, OTHER), LIMIT)
    await refused(agreements, buyers, AgreementId("0c" * 32))


async def test_an_account_is_no_stranger_once_it_has_paid_for_its_gas_and_a_stake(agreements: Agreements) -> None:
    caps = ComputeCaps(strangers=10**6, stake=13, coin_price=10**18)
    await agreements.apply([Remember(AGREEMENT, terms_of(total=13))])
    execution = await start(agreements, caps)
    await end(agreements, execution, LIMIT, charge=13)
    assert await left(agreements, caps) == ("strangers", 10**6 - LIMIT)
    await agreements.apply([NoteSettled(execution.execution_id, "0xabc")])
    assert await left(agreements, caps) is None, "no cap applies any more"
    assert await left(agreements, replace(caps, stake=14)) == ("strangers", 10**6 - LIMIT)
    await start(agreements, caps, OTHER)
    assert await left(agreements, caps, by=PROVIDER) == ("strangers", 10**6 - LIMIT), "it takes nothing of strangers'"


async def test_an_outcome_in_place_of_another_counts_alone(agreements: Agreements) -> None:
    execution = await start(agreements, ONE)
    await end(agreements, execution, LIMIT)
    stored = await agreements.execution(execution.execution_id)
    assert stored is not None
    assert stored.frozen is not None
    instead = stored.frozen.model_copy(update={"free_seconds": 0, "receipt_hash": "0x" + "ef" * 32})
    await agreements.freeze(execution.execution_id, instead, [], instead_of=stored.frozen.receipt_hash)
    assert await left(agreements, ONE) == ("strangers", LIMIT)
