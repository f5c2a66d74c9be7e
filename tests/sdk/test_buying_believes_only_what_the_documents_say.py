"""A quote is compared with documents and chain before money moves; an agreement is found from its id alone."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.agreement import agreement_id
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.ids import new_seed
from insitu.domain.ledger import Call
from insitu.sdk.client import Client
from insitu.sdk.quotes import terms_of
from insitu.sdk.workflows import Stage
from tests.doubles.chain import ChainControls
from tests.gateway.world import IMAGE
from tests.sdk.market import Market, market

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

SCRIPT = {"count.py": "print('counting')\n"}


async def workflow_on(provider: Market, consumer: Client, *dids: str, **stage: Any) -> str:
    algorithm = await consumer.assets.publish_algorithm("Count", SCRIPT)
    stages = [Stage(algorithm=algorithm.did, inputs=list(dids), **stage)]
    return (await consumer.assets.publish_workflow(f"Count {len(dids)} {stage}", stages)).did


def answering(path: str, change: Callable[[dict[str, Any]], None]) -> Callable[..., httpx.Response]:
    """Change the JSON of the answers of an address."""

    def answered(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith(path):
            return response
        body = response.json()
        change(body)
        return httpx.Response(response.status_code, json=body, request=request)

    return answered


async def test_two_owners_and_the_gateway_are_paid_by_one_agreement(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    other, _ = await provider.client("second-owner")
    consumer, _ = await provider.client("consumer")
    one, two = await provider.dataset(owner), await provider.dataset(other, price=Amount.from_base_units(20))
    workflow = await workflow_on(provider, consumer, one, two)

    quote = await consumer.agreements.check(workflow)
    assert quote.allowed
    assert {(part.address, part.amount.base_units) for part in quote.receivers} == {
        (owner.account, 10),
        (other.account, 20),
        (provider.world.address("provider"), 3),
    }
    before = await consumer.chain.balance(consumer.account)
    bought = await consumer.agreements.buy(workflow, max_price=Amount.from_base_units(33))
    assert await consumer.chain.balance(consumer.account) == before - 33
    assert (bought.status, bought.price.base_units, bought.did, bought.workflow_did) == ("granted", 33, one, workflow)
    assert bought.executable
    assert bought.ends_at > datetime.now(UTC)


async def test_an_agreement_is_found_without_any_memory(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    workflow = await workflow_on(provider, consumer, await provider.dataset(owner))
    first = await consumer.agreements.buy(workflow)
    second = await consumer.agreements.buy(workflow)
    assert first.id != second.id
    again, _ = await provider.client("consumer")
    assert [agreement.id for agreement in await again.agreements.list()] == [second.id, first.id]
    shown = await again.agreements.show("0x" + first.id.upper())
    assert (shown.terms, shown.status) == (first.terms, "granted")
    with pytest.raises(InsituError, match="AgreementUnknown"):
        await again.agreements.show("0" * 64)
    assert await owner.agreements.list() == ()


async def test_buying_again_with_the_same_seed_pays_once(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    workflow = await workflow_on(provider, consumer, await provider.dataset(owner))
    before, seed = await consumer.chain.balance(consumer.account), new_seed()
    first = await consumer.agreements.buy(workflow, seed=seed)
    again, _ = await provider.client("consumer")
    assert (await again.agreements.buy(workflow, seed=seed)).id == first.id
    assert await consumer.chain.balance(consumer.account) == before - 13


LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "price": lambda quote: quote.update(price="14"),
    "an amount": lambda quote: quote["receivers"][0].update(amount="4"),
    "a receiver": lambda quote: quote["receivers"][0].update(address="0x" + "11" * 20),
    "one receiver less": lambda quote: quote["receivers"].pop(),
    "the provider": lambda quote: quote.update(provider="0x" + "11" * 20),
    "the data set": lambda quote: quote.update(did="did:nv:" + "1" * 64),
    "its version": lambda quote: quote.update(inputsHash="1" * 64),
    "the workflow": lambda quote: quote.update(workflowDid="did:nv:" + "1" * 64),
    "the workflow's version": lambda quote: quote.update(workflowHash="1" * 64),
    "the service": lambda quote: quote.update(serviceIndex=5),
    "the server": lambda quote: quote.update(server={"serverId": "large"}),
    "the timeout": lambda quote: quote.update(timeout=1),
    "the time to grant": lambda quote: quote.update(grantTimeout=86400),
    "the time to settle": lambda quote: quote.update(settleTimeout=86400 * 300),
    "the time to lock": lambda quote: quote.update(deadlineSeconds=86400),
}


@pytest.fixture
async def offer(provider: Market) -> tuple[Market, str]:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    return provider, await workflow_on(provider, consumer, await provider.dataset(owner))


async def test_a_gateway_that_lies_gets_nothing(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, detour = await provider.client("consumer")
    before = await consumer.chain.balance(consumer.account)
    for lie, change in LIES.items():
        detour.answered = answering("/check", change)
        with pytest.raises(InsituError) as refused:
            await consumer.agreements.buy(workflow)
        assert refused.value.code in {"TermsMismatch", "NotDIDProvider"}, lie
    assert await consumer.chain.balance(consumer.account) == before
    assert await consumer.agreements.list() == ()


async def test_a_document_that_was_changed_on_its_way_is_not_used(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    before, _ = await provider.client("consumer")
    quote = await before.agreements.check(workflow)
    # A client keeps the versions that it has read, so only a new one asks.
    consumer, detour = await provider.client("consumer")

    def cheaper(document: dict[str, Any]) -> None:
        document["service"][1]["serviceEndpoint"] = "http://mallory.test/api/v1/gateway/services/exec"

    detour.answered = answering(quote.did, cheaper)
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await consumer.agreements.check(workflow)


async def test_a_price_above_the_limit_or_the_purse_is_refused_before_money_moves(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, _ = await provider.client("consumer")
    with pytest.raises(InsituError, match="PriceTooHigh"):
        await consumer.agreements.buy(workflow, max_price=Amount.from_base_units(12))
    owner, _ = await provider.client("owner")
    dear = await workflow_on(
        provider, consumer, await provider.dataset(owner, "Dear", price=Amount.from_base_units(10**30))
    )
    with pytest.raises(InsituError, match="InsufficientFunds") as refused:
        await consumer.agreements.buy(dear)
    assert "the price is 1000000000000.000000000000000003 NVM" in refused.value.detail


async def test_what_may_not_run_is_refused_with_reasons_before_buying(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    closed = await provider.dataset(owner, "Closed", algorithms=[], publishers=[owner.account])
    workflow = await workflow_on(provider, consumer, closed)
    quote = await consumer.agreements.check(workflow)
    assert not quote.allowed
    assert [reason.code for reason in quote.reasons] == ["AlgorithmNotAllowed"]
    assert quote.reasons[0].next_step
    with pytest.raises(InsituError, match="AlgorithmNotAllowed"):
        await consumer.agreements.buy(workflow)

    other = {**IMAGE, "checksum": "sha256:" + "00" * 32}
    foreign = await workflow_on(provider, consumer, await provider.dataset(owner), container=other)
    assert [one.code for one in (await consumer.agreements.check(foreign)).reasons] == ["ImageNotAllowed"]


async def test_an_agreement_that_nobody_granted_is_refunded(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with market(chain, tmp_path, granting=False, relay=False) as provider:
        owner, _ = await provider.client("owner")
        consumer, _ = await provider.client("consumer")
        workflow = await workflow_on(provider, consumer, await provider.dataset(owner))
        before = await consumer.chain.balance(consumer.account)
        bought = await consumer.agreements.buy(workflow, wait=False)
        assert bought.status == "locked"
        with pytest.raises(InsituError, match="NotTimedOut"):
            await consumer.agreements.refund(bought.id)
        await ChainControls(chain).advance(bought.terms.grant_timeout)
        with pytest.raises(InsituError, match="AgreementNotGranted"):
            await consumer.agreements.wait_for_grant(bought.id)
        await owner.agreements.refund(bought.id)
        assert await consumer.chain.balance(consumer.account) == before
        assert (await consumer.agreements.show(bought.id)).status == "refunded"


async def test_a_close_returns_the_price_and_says_the_amounts_before(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, _ = await provider.client("consumer")
    before = await consumer.chain.balance(consumer.account)
    bought = await consumer.agreements.buy(workflow)
    found = await consumer.agreements.preview_close(bought.id)
    assert (found.status, found.charge.base_units, found.returned.base_units) == ("open", 0, 13)
    assert (await consumer.agreements.close(bought.id)).returned == found.returned
    with anyio.fail_after(20):
        while (await consumer.agreements.show(bought.id)).status != "closed":  # noqa: ASYNC110
            await anyio.sleep(0.05)
    assert await consumer.chain.balance(consumer.account) == before
    assert (await consumer.agreements.close(bought.id)).status == "closed"


async def test_the_consumer_sends_what_the_provider_has_no_gas_for(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, _ = await provider.client("consumer")
    before = await consumer.chain.balance(consumer.account)
    bought = await consumer.agreements.buy(workflow)
    object.__setattr__(provider.world.configuration, "free_gas_budget", 0)
    assert (await consumer.agreements.close(bought.id)).status == "closed"
    assert await consumer.chain.balance(consumer.account) == before


@pytest.mark.parametrize("lie", [{"charge": "1"}, {"last": False}], ids=str)
async def test_only_a_settlement_that_returns_the_whole_price_is_sent(
    offer: tuple[Market, str], lie: dict[str, Any]
) -> None:
    provider, workflow = offer
    consumer, detour = await provider.client("consumer")
    bought = await consumer.agreements.buy(workflow)
    object.__setattr__(provider.world.configuration, "free_gas_budget", 0)

    def lying(answer: dict[str, Any]) -> None:
        if answer["settlement"] is not None:
            answer["settlement"]["settlement"].update(lie)

    detour.answered = answering("/close", lying)
    with pytest.raises(InsituError, match="AmountMismatch"):
        await consumer.agreements.close(bought.id)
    detour.answered = None
    assert (await consumer.agreements.close(bought.id)).status == "closed"


async def test_a_close_that_charges_more_than_the_limit_is_not_made(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, detour = await provider.client("consumer")
    bought = await consumer.agreements.buy(workflow)
    detour.answered = answering("/close", lambda answer: answer.update(charge="13"))
    with pytest.raises(InsituError, match="PriceTooHigh"):
        await consumer.agreements.close(bought.id, max_charge=Amount.from_base_units(12))
    detour.answered = None
    assert (await consumer.agreements.preview_close(bought.id)).status == "open"


async def test_a_close_needs_no_provider_where_the_consumer_can_end_it_alone(
    chain: EmbeddedChain, tmp_path: Path
) -> None:
    async with market(chain, tmp_path, granting=False, relay=False) as provider:
        owner, _ = await provider.client("owner")
        consumer, detour = await provider.client("consumer")
        workflow = await workflow_on(provider, consumer, await provider.dataset(owner))
        before = await consumer.chain.balance(consumer.account)
        created = provider.world.terms(await provider.world.quote(workflow))
        unpaid = agreement_id(created, consumer.chain.agreements)
        signer = provider.world.people["consumer"]
        await consumer.chain.transact(
            Call("ServiceExecutionTemplate", "createAgreement", (created.as_tuple(), b"")), signer
        )
        bought = await consumer.agreements.buy(workflow, wait=False)
        await ChainControls(chain).advance(bought.terms.grant_timeout)
        detour.failing = lambda request: True
        assert (await consumer.agreements.preview_close(unpaid)).returned == Amount.from_base_units(0)
        for agreement in (unpaid, bought.id):
            assert (await consumer.agreements.close(agreement)).status == "refunded"
            assert (await consumer.agreements.show(agreement)).status == "refunded"
        assert await consumer.chain.balance(consumer.account) == before


async def test_a_refusal_is_seen_at_once(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, _ = await provider.client("consumer")
    quote = await consumer.agreements.check(workflow)
    terms = provider.world.terms(quote, timeout=quote.timeout + 1)
    locked = await provider.world.lock(terms)
    with pytest.raises(InsituError, match="AgreementRefused"):
        await consumer.agreements.wait_for_grant(locked)


async def test_the_terms_can_be_read_before_they_are_signed(offer: tuple[Market, str]) -> None:
    provider, workflow = offer
    consumer, _ = await provider.client("consumer")
    quote = await consumer.agreements.check(workflow)
    terms = terms_of(quote, consumer.account, 1000)
    assert terms.deadline == 1000 + quote.deadline_seconds
    assert terms.total == quote.price.base_units
    assert terms_of(quote, consumer.account, 1000).seed != terms.seed
    assert json.loads(terms.model_dump_json())["receivers"] == [part.address for part in quote.receivers]
