"""A consumer signs, the gateway sends (C3–C7): checked before any coin is spent, sent once, granted at once."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from insitu.api.gateway_v1 import BASE
from insitu.domain.ids import Address
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.ledger import AgreementCreated, Call, ComputeFulfilled, LockFulfilled, create_and_lock, use_permit
from insitu.domain.purchase import SignedPurchase
from insitu.ports.agreement_records import Standing
from tests.gateway.purchases import (
    code_of,
    created,
    elsewhere,
    id_of,
    offered_terms,
    penniless,
    post,
    signed,
    soon,
    spent,
)
from tests.gateway.world import IMAGE, SMALL, World, json_of

pytestmark = pytest.mark.needs("chain")

SOMEWHERE = Address("0x" + "11" * 20)


async def test_a_consumer_without_coin_buys_executes_and_pays(provider: World) -> None:
    terms = await offered_terms(provider)
    await penniless(provider)
    before, agreement = await provider.balances(), id_of(provider, terms)
    answer = await post(provider, await signed(provider, terms))
    assert answer.status_code == 202
    told = json_of(answer)
    assert told["serviceAgreementId"] == agreement
    await provider.until_standing(agreement, Standing.GRANTED)
    bought = await provider.balances()
    assert (bought["consumer"] - before["consumer"], bought["escrow"] - before["escrow"]) == (-13, 13)

    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    after = await provider.balances()
    changed = {name: after[name] - before[name] for name in ("consumer", "owner", "provider", "escrow")}
    assert changed == {"consumer": -13, "owner": 10, "provider": 3, "escrow": 0}
    assert await provider.chain.native_balance(provider.address("consumer")) == 0


async def test_purchase_and_grant_are_one_transaction_of_the_provider(provider: World) -> None:
    terms = await offered_terms(provider)
    before, agreement = await spent(provider), id_of(provider, terms)
    transaction = json_of(await post(provider, await signed(provider, terms)))["transaction"]
    await provider.until_standing(agreement, Standing.GRANTED)
    mined = await provider.chain.outcome(transaction)
    assert mined is not None
    kinds = [type(logged.event) for logged in mined.events]
    assert kinds == [AgreementCreated, LockFulfilled, ComputeFulfilled]
    assert (await spent(provider)).transactions == before.transactions + 1
    known = await provider.agreements.agreement(agreement)
    assert known is not None
    assert inputs_hash(tuple(known.versions.items())) == terms.inputs_hash
    assert known.max_executions == 100


async def test_the_same_purchase_again_is_answered_and_not_sent(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    first = json_of(await post(provider, purchase))
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    before = await spent(provider)
    again = await post(provider, purchase)
    assert again.status_code == 202
    assert json_of(again) == first | {"status": "granted"}
    assert await spent(provider) == before
    assert len(await created(provider)) == 1


async def test_many_requests_at_once_are_one_purchase(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase, before = await signed(provider, terms), await spent(provider)
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(post, provider, purchase)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    assert (await spent(provider)).transactions == before.transactions + 1
    relayed = await provider.agreements.relayed(terms.consumer, provider.gateway.ports.clock.now().replace(year=2000))
    assert relayed.purchases == 1


async def test_after_a_refund_the_signatures_are_worthless(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    await post(provider, purchase)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    await provider.pass_time(terms.timeout + terms.settle_timeout)
    await provider.chain.transact(Call("EscrowReward", "refund", (terms.as_tuple(),)), provider.people["stranger"])
    balances, before = await provider.balances(), await spent(provider)
    assert json_of(await post(provider, purchase))["status"] == "refunded"
    assert (await spent(provider), await provider.balances()) == (before, balances)


async def test_a_free_service_is_relayed_within_the_quota(provider: World) -> None:
    object.__setattr__(provider.configuration, "free_grants_per_day", 1)
    environment = {
        "cluster": {"type": "insitu"},
        "supportedContainers": [IMAGE],
        "supportedServers": [{**SMALL, "price": "0"}],
    }
    free = {"price": "0", "provider": {"type": "On-Premise", "environment": environment}}
    terms = await offered_terms(provider, free)
    assert terms.total == 0
    await post(provider, await signed(provider, terms))
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    again = terms.model_copy(update={"seed": "0x" + "07" * 32})
    assert await code_of(provider, await signed(provider, again)) == "QuotaExceeded"


Wrong = Callable[[World, SignedPurchase], Awaitable[SignedPurchase]]


def changed(**terms: object) -> Wrong:
    """The terms were changed after they were signed."""

    async def change(_: World, purchase: SignedPurchase) -> SignedPurchase:
        return purchase.model_copy(update={"terms": purchase.terms.model_copy(update=terms)})

    return change


def resigned(**terms: object) -> Wrong:
    """The consumer has signed such terms."""

    async def change(provider: World, purchase: SignedPurchase) -> SignedPurchase:
        return await signed(provider, purchase.terms.model_copy(update=terms))

    return change


def in_domain(**changes: object) -> Wrong:
    async def change(provider: World, purchase: SignedPurchase) -> SignedPurchase:
        domain = elsewhere(provider.chain.agreements, **changes)
        return await signed(provider, purchase.terms, domain=domain)

    return change


async def by_a_stranger(provider: World, purchase: SignedPurchase) -> SignedPurchase:
    foreign = await signed(provider, purchase.terms, "stranger")
    return purchase.model_copy(update={"signature": foreign.signature})


async def with_a_strangers_permit(provider: World, purchase: SignedPurchase) -> SignedPurchase:
    foreign = await signed(provider, purchase.terms, "stranger")
    return purchase.model_copy(update={"permit": foreign.permit})


async def with_a_permit_for_less(provider: World, purchase: SignedPurchase) -> SignedPurchase:
    return await signed(provider, purchase.terms, allowed=12)


async def with_another_value(_: World, purchase: SignedPurchase) -> SignedPurchase:
    assert purchase.permit is not None
    return purchase.model_copy(update={"permit": purchase.permit.model_copy(update={"value": 14})})


async def with_an_expired_permit(provider: World, purchase: SignedPurchase) -> SignedPurchase:
    return await signed(provider, purchase.terms, permit_until=1)


async def without_a_permit(_: World, purchase: SignedPurchase) -> SignedPurchase:
    return purchase.model_copy(update={"permit": None})


async def without_tokens(provider: World, purchase: SignedPurchase) -> SignedPurchase:
    consumer = provider.people["consumer"]
    everything = await provider.chain.balance(consumer.address)
    give = Call("NeverminedToken", "transfer", (provider.address("stranger"), everything))
    await provider.chain.transact(give, consumer)
    return purchase


WRONG: dict[str, tuple[str, Wrong]] = {
    "signed for another chain": ("SignatureMismatch", in_domain(chain_id=1)),
    "signed for another contract": ("SignatureMismatch", in_domain(contract=SOMEWHERE)),
    "signed by a stranger": ("SignatureMismatch", by_a_stranger),
    "another amount than signed": ("SignatureMismatch", changed(amounts=(9, 3))),
    "another consumer than signed": ("SignatureMismatch", changed(consumer=SOMEWHERE)),
    "another seed than signed": ("SignatureMismatch", changed(seed="0x" + "01" * 32)),
    "terms of another provider": ("TermsMismatch", resigned(provider=SOMEWHERE)),
    "terms that are not quoted": ("TermsMismatch", resigned(timeout=86401)),
    "a price that is too low": ("PriceTooLow", resigned(amounts=(9, 3))),
    "a workflow that is not there": ("AssetNotFound", resigned(workflow_id="0x" + "ab" * 32)),
    "a deadline that has passed": ("DeadlinePassed", resigned(deadline=1)),
    "a deadline that is far away": ("TermsMismatch", resigned(deadline=2**40 - 1)),
    "a permit of a stranger": ("PermitInvalid", with_a_strangers_permit),
    "a permit with another value than signed": ("PermitInvalid", with_another_value),
    "a permit for less": ("AllowanceTooLow", with_a_permit_for_less),
    "a permit that has expired": ("PermitExpired", with_an_expired_permit),
    "no permit": ("AllowanceTooLow", without_a_permit),
    "no tokens": ("InsufficientFunds", without_tokens),
    "times that the contract refuses": ("TimeoutOutOfRange", resigned(grant_timeout=0)),
}


@pytest.mark.parametrize("what", list(WRONG))
async def test_a_wrong_purchase_is_refused_before_any_coin_is_spent(provider: World, what: str) -> None:
    expected, spoil = WRONG[what]
    purchase = await spoil(provider, await signed(provider, await offered_terms(provider)))
    balances, before = await provider.balances(), await spent(provider)
    assert await code_of(provider, purchase) == expected
    assert (await spent(provider), await provider.balances()) == (before, balances)
    assert await created(provider) == []
    agreement = id_of(provider, purchase.terms)
    known = await provider.agreements.agreement(agreement)
    assert known is None
    assert await provider.agreements.item(f"relay:{agreement}") is None


async def test_a_signature_that_was_used_elsewhere_buys_nothing_here(provider: World) -> None:
    """The permit is spent with the first purchase; the second one's terms have another digest."""
    terms = await offered_terms(provider)
    first = await signed(provider, terms)
    await post(provider, first)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    second = await signed(provider, terms.model_copy(update={"seed": "0x" + "02" * 32}))
    before = await spent(provider)
    assert await code_of(provider, second.model_copy(update={"permit": first.permit})) == "PermitInvalid"
    assert await code_of(provider, second.model_copy(update={"signature": first.signature})) == "SignatureMismatch"
    assert await spent(provider) == before


async def test_an_existing_allowance_needs_no_permit(provider: World) -> None:
    """Anyone who sees the permit can use it first; that changes nothing."""
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    assert purchase.permit is not None
    escrow = provider.chain.agreements.contract
    used = use_permit(terms.consumer, escrow, purchase.permit.permit)
    await provider.chain.transact(used, provider.people["stranger"])
    assert (await post(provider, purchase)).status_code == 202
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)


async def test_a_purchase_that_a_stranger_sent_first_is_granted_and_reported(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    assert purchase.permit is not None
    sent = create_and_lock(terms, bytes.fromhex(purchase.signature[2:]), purchase.permit.permit)
    await provider.chain.transact(sent, provider.people["stranger"])
    told = json_of(await post(provider, purchase))
    assert told["status"] in {"locked", "granted"}
    assert told["transaction"] is None
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    assert json_of(await post(provider, purchase))["status"] == "granted"
    assert len(await created(provider)) == 1


async def test_a_stranger_who_is_faster_within_the_block_changes_nothing(provider: World) -> None:
    """Both transactions wait for the same block. The stranger's pays more and goes first."""
    terms = await offered_terms(provider)
    held, purchase = await provider.chain.balance(terms.consumer), await signed(provider, terms)
    assert purchase.permit is not None
    sent = create_and_lock(terms, bytes.fromhex(purchase.signature[2:]), purchase.permit.permit)
    stranger = provider.people["stranger"]
    await provider.until_followed()
    first = await provider.chain.sign(sent, stranger, await provider.chain.next_nonce(stranger.address))
    await provider.chain.rpc("evm_setAutomine", False)
    try:
        told = json_of(await post(provider, purchase))
        await provider.chain.broadcast(first)
    finally:
        await provider.chain.rpc("evm_setAutomine", True)
    await provider.chain.rpc("anvil_mine", 1)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    assert await provider.chain.balance(terms.consumer) == held - terms.total
    assert len(await created(provider)) == 1
    again = json_of(await post(provider, purchase))
    assert again["status"] == "granted"
    mined = await provider.chain.outcome(told["transaction"])
    assert mined is not None
    assert mined.ok


async def test_an_agreement_that_a_stranger_only_created_is_still_paid(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    create = Call(
        "ServiceExecutionTemplate",
        "createAgreement",
        (terms.as_tuple(), bytes.fromhex(purchase.signature[2:])),
    )
    await provider.chain.transact(create, provider.people["stranger"])
    assert (await post(provider, purchase)).status_code == 202
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    assert len(await created(provider)) == 1


async def test_relay_can_be_switched_off(provider: World) -> None:
    assert json_of(await provider.http.get(BASE))["relay"] is True
    object.__setattr__(provider.configuration, "relay", False)
    assert json_of(await provider.http.get(BASE))["relay"] is False
    before = await spent(provider)
    assert await code_of(provider, await signed(provider, await offered_terms(provider))) == "RelayOff"
    assert await spent(provider) == before


async def test_the_number_of_purchases_for_one_consumer_a_day_is_limited(provider: World) -> None:
    object.__setattr__(provider.configuration, "relays_per_day", 1)
    terms = await offered_terms(provider)
    await post(provider, await signed(provider, terms))
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    before = await spent(provider)
    again = terms.model_copy(update={"seed": "0x" + "03" * 32, "deadline": await soon(provider)})
    assert await code_of(provider, await signed(provider, again)) == "RelayLimitReached"
    assert await spent(provider) == before

    quote = await provider.quote("did:nv:" + terms.workflow_id[2:], "second-consumer")
    others = provider.terms(quote, "second-consumer", deadline=await soon(provider))
    assert (await post(provider, await signed(provider, others, "second-consumer"))).status_code == 202


async def test_strangers_cannot_spend_more_than_the_budget(provider: World) -> None:
    terms = await offered_terms(provider)
    before = await spent(provider)
    object.__setattr__(provider.configuration, "relay_budget", 10**5)
    assert await code_of(provider, await signed(provider, terms)) == "RelayExhausted"
    assert await spent(provider) == before

    object.__setattr__(provider.configuration, "relay_budget", 10**17)
    await post(provider, await signed(provider, terms))
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    since = provider.gateway.ports.clock.now().replace(year=2000)
    promised = (await provider.agreements.relayed(terms.consumer, since)).cost
    assert 0 < (await spent(provider)).coin - before.coin <= promised
    object.__setattr__(provider.configuration, "relay_budget", promised)
    again = terms.model_copy(update={"seed": "0x" + "04" * 32, "deadline": await soon(provider)})
    assert await code_of(provider, await signed(provider, again)) == "RelayExhausted"


async def test_a_provider_keeps_coin_for_what_it_has_sold(provider: World) -> None:
    purchase = await signed(provider, await offered_terms(provider))
    cost = await provider.chain.estimate(purchase.call(provider.chain.agreements), provider.address("provider"))
    for held, expected in ((0, "RelayExhausted"), (9 * cost, "RelayExhausted")):
        await provider.chain.rpc("anvil_setBalance", provider.address("provider"), hex(held))
        assert await code_of(provider, purchase) == expected
    await provider.chain.rpc("anvil_setBalance", provider.address("provider"), hex(20 * cost))
    assert (await post(provider, purchase)).status_code == 202


async def test_an_invalid_purchase_is_refused_by_the_names_of_its_members(provider: World) -> None:
    purchase = (await signed(provider, await offered_terms(provider))).model_dump(mode="json", by_alias=True)
    for body in (
        {},
        purchase | {"signature": "0x12"},
        purchase | {"terms": purchase["terms"] | {"deadline": -1}},
        purchase | {"permit": {"value": "13"}},
        purchase | {"surprise": True},
    ):
        answer = await provider.http.post(BASE + "/agreements", json=body)
        assert (answer.status_code, json_of(answer)["code"]) == (400, "InvalidRequest")
    high = purchase | {"signature": "0x" + "ff" * 65}
    answer = await provider.http.post(BASE + "/agreements", json=high)
    assert json_of(answer)["code"] == "SignatureMismatch"


async def test_a_purchase_is_sent_when_gas_is_expensive(provider: World) -> None:
    purchase = await signed(provider, await offered_terms(provider))
    await provider.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    await provider.chain.rpc("anvil_mine", 1)
    assert (await post(provider, purchase)).status_code == 202
    await provider.until_standing(id_of(provider, purchase.terms), Standing.GRANTED)
    await provider.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    await provider.chain.rpc("anvil_mine", 1)


async def test_the_actual_cost_of_a_purchase_replaces_the_estimate(provider: World) -> None:
    terms = await offered_terms(provider)
    purchase = await signed(provider, terms)
    estimated = await provider.chain.estimate(purchase.call(provider.chain.agreements), provider.address("provider"))
    before = await spent(provider)
    await post(provider, purchase)
    await provider.until_standing(id_of(provider, terms), Standing.GRANTED)
    paid = (await spent(provider)).coin - before.coin
    counted = (
        await provider.agreements.relayed(terms.consumer, provider.gateway.ports.clock.now().replace(year=2000))
    ).cost
    assert paid <= counted < paid + 10**9 < estimated
