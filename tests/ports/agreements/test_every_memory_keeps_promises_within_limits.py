"""Purchases that a gateway has promised to send: counted when they are promised, never beyond the limits."""

from datetime import datetime, timedelta

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import Address, AgreementId
from insitu.ports.agreement_changes import Attach, Change, Enqueue, Judge, Release, Remember
from insitu.ports.agreement_records import ItemKind, OutboxItem, Relay, Relayed, RelayLimits, Standing
from insitu.ports.agreements import Agreements
from insitu.testing.clock import START
from ports.agreements.agreement_samples import CONSUMER, PROVIDER, sent, terms_of

GWEI = 10**9
ENOUGH = RelayLimits(100, 10**20)
LATER = START + timedelta(seconds=10)
REASON = Reason(code="InsufficientFunds", message="gone")


def agreement_of(number: int) -> AgreementId:
    return AgreementId(f"{number:064x}")


def wanted(agreement: AgreementId) -> OutboxItem:
    return OutboxItem(f"relay:{agreement}", ItemKind.RELAY, agreement, START)


async def promised(
    agreements: Agreements,
    number: int,
    cost: int = GWEI,
    *,
    at: datetime = START,
    consumer: Address = CONSUMER,
    limits: RelayLimits = ENOUGH,
    seed: str = "",
) -> bool:
    agreement = agreement_of(number)
    terms = terms_of(seed=f"{number:02x}").model_copy(update={"consumer": consumer})
    changes: list[Change] = [
        Remember(agreement, terms),
        Judge(agreement, Standing.RELAYING, at),
        Enqueue(wanted(agreement), again=True),
    ]
    return await agreements.promise(Relay(agreement, consumer, seed or terms.seed, cost, at), limits, changes)


async def test_purchases_are_counted_for_each_consumer_and_their_cost_for_all(agreements: Agreements) -> None:
    assert await promised(agreements, 1, 2 * GWEI + 1)
    assert await promised(agreements, 2, 10**18, at=LATER, consumer=PROVIDER)
    assert await agreements.relayed(CONSUMER, START) == Relayed(1, 10**18 + 3 * GWEI)
    assert await agreements.relayed(CONSUMER, LATER) == Relayed(0, 10**18)
    assert await promised(agreements, 3, at=START + timedelta(days=1, seconds=1))
    assert await agreements.relayed(CONSUMER, START) == Relayed(1, 10**18 + GWEI)


async def test_a_purchase_that_is_on_its_way_is_not_promised_again(agreements: Agreements) -> None:
    assert await promised(agreements, 1)
    assert not await promised(agreements, 1)
    assert await agreements.relayed(CONSUMER, START) == Relayed(1, GWEI)
    await agreements.apply([Judge(agreement_of(1), Standing.CREATED, START, REASON)])
    assert await promised(agreements, 1)


async def test_another_purchase_with_the_same_seed_is_the_first_one(agreements: Agreements) -> None:
    seed = "0x" + "5e" * 32
    assert await promised(agreements, 1, seed=seed)
    assert await promised(agreements, 2, seed=seed, consumer=PROVIDER)
    with pytest.raises(InsituError, match="AgreementExists") as refused:
        await promised(agreements, 3, seed=seed)
    assert refused.value.context["agreement"] == agreement_of(1)
    assert await agreements.agreement(agreement_of(3)) is None
    await agreements.apply([Judge(agreement_of(1), Standing.CREATED, START, REASON)])
    assert await promised(agreements, 3, seed=seed)


@pytest.mark.parametrize(
    ("limits", "code"),
    [(RelayLimits(1, 10**20), "RelayLimitReached"), (RelayLimits(100, 2 * GWEI - 1), "RelayExhausted")],
)
async def test_what_is_beyond_a_limit_leaves_no_trace(agreements: Agreements, limits: RelayLimits, code: str) -> None:
    assert await promised(agreements, 1)
    with pytest.raises(InsituError, match=code):
        await promised(agreements, 2, limits=limits)
    assert await agreements.agreement(agreement_of(2)) is None
    assert [one.key for one in await agreements.due(START)] == [f"relay:{agreement_of(1)}"]
    assert await promised(agreements, 3, at=START + timedelta(days=1, seconds=1), limits=limits)


async def test_many_at_once_stay_within_the_limits(agreements: Agreements) -> None:
    refusals: list[str] = []

    async def one(number: int) -> None:
        try:
            await promised(agreements, number, limits=RelayLimits(4, 10**20))
        except InsituError as error:
            refusals.append(error.code)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(one, number)
    assert refusals == ["RelayLimitReached"] * 6
    assert (await agreements.relayed(CONSUMER, START)).purchases == 4


async def test_a_promise_counts_no_more_if_nothing_was_signed_for_it(agreements: Agreements) -> None:
    for number in (1, 2):
        await promised(agreements, number)
    signed, unsigned = agreement_of(1), agreement_of(2)
    await agreements.apply([Attach(sent(7, wanted(signed).key)), Release(signed), Release(unsigned)])
    assert await agreements.relayed(CONSUMER, START) == Relayed(1, GWEI)


async def test_a_promised_free_agreement_is_in_its_consumers_quota(agreements: Agreements) -> None:
    agreement, terms = agreement_of(1), terms_of(total=0)
    changes: list[Change] = [Remember(agreement, terms), Judge(agreement, Standing.RELAYING, START)]
    await agreements.promise(Relay(agreement, CONSUMER, terms.seed, GWEI, START), ENOUGH, changes)
    assert await agreements.free_grants(CONSUMER, START) == 1
