"""Purchases that a gateway has promised to send: counted when they are promised, never beyond the limits."""

from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import pytest

from insitu.domain.agreement import Settlement, SignedSettlement
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.ports.agreement_changes import (
    Attach,
    Change,
    Complete,
    DecideCharge,
    Detach,
    Enqueue,
    GiveUp,
    Judge,
    NoteSettled,
    Release,
    Remember,
    Spend,
)
from insitu.ports.agreement_records import (
    FreeExecution,
    ItemKind,
    OutboxItem,
    RegistryRelay,
    Relay,
    Relayed,
    RelayLimits,
    Standing,
)
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT
from tests.ports.agreements.agreement_samples import (
    CONSUMER,
    OTHER,
    PROVIDER,
    draft_of,
    frozen_of,
    item,
    sent,
    terms_of,
)

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
    tomorrow = START + timedelta(days=1, seconds=1)
    assert await promised(agreements, 3, at=tomorrow)
    assert await agreements.relayed(CONSUMER, tomorrow) == Relayed(1, GWEI)
    assert await agreements.relayed(CONSUMER, START) == Relayed(2, 10**18 + 4 * GWEI)


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


async def test_what_was_paid_takes_the_place_of_what_was_reserved(agreements: Agreements) -> None:
    await promised(agreements, 1, 100 * GWEI)
    key = wanted(agreement_of(1)).key
    await agreements.apply([Attach(sent(7, key)), Spend(sent(7).hash, 3 * GWEI)])
    assert await agreements.relayed(CONSUMER, START) == Relayed(1, 3 * GWEI)
    await agreements.apply([Detach(sent(7).hash, START, REASON), Attach(sent(8, key))])
    for _ in range(2):
        await agreements.apply([Spend(sent(8).hash, 4 * GWEI + 1)])
        assert await agreements.relayed(CONSUMER, START) == Relayed(1, 8 * GWEI)


async def test_several_items_of_a_transaction_share_what_it_cost(agreements: Agreements) -> None:
    for number in (1, 2):
        await promised(agreements, number, 100 * GWEI)
    keys = [wanted(agreement_of(number)).key for number in (1, 2)]
    await agreements.apply([Attach(sent(7, *keys)), Spend(sent(7).hash, 10 * GWEI)])
    assert await agreements.relayed(CONSUMER, START) == Relayed(2, 10 * GWEI)


async def has_paid(agreements: Agreements, price: int) -> None:
    """An execution of the consumer is charged ``price``, all of it the provider's, and settled."""
    terms = terms_of(total=price)
    await agreements.apply([Remember(AGREEMENT, terms)])
    execution, _ = await agreements.start(AGREEMENT, START, 100, draft_of())
    settlement = Settlement(index=0, charge=price, receipt_hash="0x" + "ee" * 32)
    signed = SignedSettlement(terms=terms, settlement=settlement, signature="0x" + "12" * 65)
    await agreements.freeze(execution.execution_id, frozen_of(), [DecideCharge(execution.execution_id, price, signed)])
    await agreements.apply([NoteSettled(execution.execution_id, "0xabc")])


async def test_strangers_cannot_use_up_the_budget_of_paying_consumers(agreements: Agreements) -> None:
    limits = RelayLimits(100, 5 * GWEI, coin_price=10**18)
    await has_paid(agreements, 3 * GWEI)
    await promised(agreements, 1, 5 * GWEI, consumer=PROVIDER, limits=limits)
    with pytest.raises(InsituError, match="RelayExhausted"):
        await promised(agreements, 2, consumer=PROVIDER, limits=limits)
    for number, cost in ((3, 2 * GWEI), (4, GWEI)):
        await promised(agreements, number, cost, limits=limits)
    assert await agreements.relayed(CONSUMER, START) == Relayed(2, 5 * GWEI)
    with pytest.raises(InsituError, match="RelayExhausted"):
        await promised(agreements, 5, limits=limits)  # it has paid for no more
    with pytest.raises(InsituError, match="RelayExhausted"):
        await promised(agreements, 6, 6 * GWEI, at=START + timedelta(days=9), limits=limits)  # nothing is forgotten


@pytest.mark.parametrize(("price", "taken"), [(10**21, 2 * GWEI), (0, 2 * GWEI), (10**18, 0)])
async def test_a_token_pays_for_what_it_is_worth(agreements: Agreements, price: int, taken: int) -> None:
    await has_paid(agreements, 3 * GWEI)
    await promised(agreements, 1, 2 * GWEI, limits=RelayLimits(100, 2 * GWEI, coin_price=price))
    assert (await agreements.relayed(CONSUMER, START)).cost == taken


async def free_execution(agreements: Agreements, agreement: AgreementId, cost: int) -> ExecutionId:
    free = FreeExecution(cost, 5 * GWEI)
    execution, _ = await agreements.start(agreement, START, 100, draft_of(agreement), free=free)
    return execution.execution_id


async def test_free_executions_of_strangers_have_a_budget(agreements: Agreements) -> None:
    first = await free_execution(agreements, AGREEMENT, 4 * GWEI)
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await free_execution(agreements, OTHER, 2 * GWEI)
    assert await agreements.executions(agreement_id=OTHER) == ()
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await agreements.require_free_gas(FreeExecution(2 * GWEI, 5 * GWEI), CONSUMER, START)
    await agreements.require_free_gas(FreeExecution(2 * GWEI, None), CONSUMER, START)
    await agreements.require_free_gas(FreeExecution(2 * GWEI, 5 * GWEI), CONSUMER, START + timedelta(hours=25))
    assert await agreements.relayed(CONSUMER, START) == Relayed(0, 0), "purchases have their own budget"

    register, settle = (replace(item(key), execution_id=first) for key in ("register", "settle"))
    await agreements.apply([Enqueue(register), Enqueue(settle), Attach(sent(1, "register"))])
    await agreements.apply([Complete("register"), Spend(sent(1).hash, GWEI)])
    with pytest.raises(InsituError, match="FreeGasExhausted"):
        await free_execution(agreements, OTHER, 2 * GWEI)
    await agreements.apply([Attach(sent(2, "settle")), Complete("settle"), Spend(sent(2).hash, GWEI)])
    await free_execution(agreements, OTHER, 3 * GWEI)


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


def requested(number: int, account: Address = CONSUMER, *updated: str) -> RegistryRelay:
    digest = agreement_of(number)
    return RegistryRelay(OutboxItem(f"request:{digest}", ItemKind.REQUEST, digest, START), account, updated, GWEI)


async def test_a_request_to_the_registry_is_promised_once_and_counts_as_cost(agreements: Agreements) -> None:
    assert await agreements.promise_request(requested(1), ENOUGH, START)
    assert not await agreements.promise_request(requested(1), ENOUGH, LATER)
    assert await agreements.relayed(CONSUMER, START) == Relayed(0, GWEI)
    assert await promised(agreements, 2, limits=RelayLimits(1, 2 * GWEI))
    with pytest.raises(InsituError, match="RelayExhausted"):
        await agreements.promise_request(requested(3, OTHER), RelayLimits(100, 3 * GWEI - 1), START)
    assert await agreements.item(requested(3).item.key) is None


async def test_a_request_that_was_given_up_gives_its_gas_back_and_can_be_asked_for_again(
    agreements: Agreements,
) -> None:
    assert await agreements.promise_request(requested(1), ENOUGH, START)
    await agreements.apply([GiveUp(requested(1).item.key, REASON), Release(agreement_of(1))])
    given_up = await agreements.item(requested(1).item.key)
    assert given_up is not None
    assert given_up.state == "given up"
    assert await agreements.relayed(CONSUMER, START) == Relayed(0, 0)
    assert await agreements.promise_request(requested(1), ENOUGH, LATER)


async def test_what_a_request_cost_replaces_what_was_reserved_for_it(agreements: Agreements) -> None:
    assert await agreements.promise_request(requested(1), ENOUGH, START)
    key = requested(1).item.key
    carried = sent(1, key)
    await agreements.apply([Attach(carried), Complete(key), Spend(carried.hash, 3 * GWEI)])
    assert await agreements.relayed(CONSUMER, START) == Relayed(0, 3 * GWEI)
    done = await agreements.item(key)
    assert done is not None
    assert done.state == "done"
    assert not await agreements.promise_request(requested(1), ENOUGH, START)


async def test_updates_of_one_asset_are_counted_whoever_asks(agreements: Agreements) -> None:
    limits = RelayLimits(100, 10**20, updates=2)
    assert await agreements.promise_request(requested(1, CONSUMER, "a", "b"), limits, START)
    assert await agreements.promise_request(requested(2, OTHER, "a"), limits, START)
    with pytest.raises(InsituError, match="RelayLimitReached"):
        await agreements.promise_request(requested(3, OTHER, "b", "a"), limits, START)
    assert await agreements.promise_request(requested(3, OTHER, "b"), limits, START)
    tomorrow = START + timedelta(days=1, seconds=1)
    assert await agreements.promise_request(requested(4, OTHER, "a"), limits, tomorrow)


async def update_twice(agreements: Agreements, *numbers: int, at: datetime = START) -> None:
    limits = RelayLimits(100, 10**20, coin_price=1, updates=1, revisions=2)
    for number in numbers:
        assert await agreements.promise_request(requested(number, CONSUMER, "a"), limits, at)
    with pytest.raises(InsituError, match=f"at most {len(numbers)} updates"):
        await agreements.promise_request(requested(9, CONSUMER, "a"), limits, at)


async def test_an_account_that_has_paid_updates_an_asset_more_often(agreements: Agreements) -> None:
    await has_paid(agreements, 10**9)
    await update_twice(agreements, 1, 2)


async def test_a_consumer_revises_more_often_while_executions_may_start(agreements: Agreements) -> None:
    terms, start = terms_of(), round(START.timestamp())
    await agreements.apply([Remember(AGREEMENT, terms), Judge(AGREEMENT, Standing.GRANTED, START, start=start)])
    await update_twice(agreements, 1, 2)
    ended = START + timedelta(seconds=max(terms.timeout, 86400) + 1)
    await update_twice(agreements, 3, at=ended)


@pytest.mark.parametrize("closing", [True, False])
async def test_an_agreement_that_is_closed_or_closing_allows_no_more_updates(
    agreements: Agreements, closing: bool
) -> None:
    start = round(START.timestamp())
    await agreements.apply([Remember(AGREEMENT, terms_of()), Judge(AGREEMENT, Standing.GRANTED, START, start=start)])
    if closing:
        await agreements.close(AGREEMENT, 0, [], None)
    else:
        await agreements.apply([Judge(AGREEMENT, Standing.CLOSED, START)])
    await update_twice(agreements, 1)
