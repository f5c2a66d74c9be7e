"""A purchase is sent by its consumer, by its consumer with an offer, or by the gateway: one price, one grant."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ledger import AgreementCreated, ComputeFulfilled, LockFulfilled
from insitu.sdk.client import Client
from tests.gateway.purchases import penniless, spent
from tests.gateway.test_nothing_is_lost_or_doubled import until
from tests.sdk.market import Market, market
from tests.sdk.test_buying_believes_only_what_the_documents_say import answering, workflow_on

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

PURCHASE_AND_GRANT = [AgreementCreated, LockFulfilled, ComputeFulfilled]


async def kinds(provider: Market, transaction: str | None) -> list[type]:
    """What became of a transaction."""
    assert transaction is not None
    mined = await provider.world.chain.outcome(transaction)
    assert mined is not None
    return [type(logged.event) for logged in mined.events]


async def ready(provider: Market) -> tuple[Client, str]:
    """A consumer with tokens, and a workflow that costs 13."""
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    return consumer, await workflow_on(provider, consumer, await provider.dataset(owner))


async def test_a_consumer_without_coin_buys_and_executes_all_the_same(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    await penniless(provider.world)
    before = await consumer.chain.balance(consumer.account)
    bought = await consumer.agreements.buy(workflow)
    assert (bought.status, bought.relayed, bought.price.base_units) == ("granted", True, 13)
    assert await kinds(provider, bought.transaction) == PURCHASE_AND_GRANT
    assert await consumer.chain.balance(consumer.account) == before - 13

    execution = await consumer.compute.execute(bought.id)
    assert (await execution.wait(60)).phase is Phase.SUCCEEDED
    paths = await execution.download(provider.world.folder / "downloads")
    assert [path.read_bytes() for path in paths] == [b"42\n"]
    assert await consumer.chain.native_balance(consumer.account) == 0


async def test_a_consumer_with_coin_may_let_the_gateway_send_it(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    coin = await consumer.chain.native_balance(consumer.account)
    bought = await consumer.agreements.buy(workflow, relay=True)
    assert (bought.status, bought.relayed) == ("granted", True)
    assert await consumer.chain.native_balance(consumer.account) == coin


async def test_a_consumer_with_coin_sends_it_unless_told_otherwise(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    bought = await consumer.agreements.buy(workflow)
    assert (bought.status, bought.relayed) == ("granted", False)
    assert await kinds(provider, bought.transaction) == PURCHASE_AND_GRANT[:2]


async def test_an_offer_saves_the_providers_transaction(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    before = await spent(provider.world)
    bought = await consumer.agreements.buy(workflow, offer=True)
    assert (bought.status, bought.relayed) == ("granted", False)
    assert await kinds(provider, bought.transaction) == PURCHASE_AND_GRANT
    assert await spent(provider.world) == before


async def test_nobody_is_relayed_against_their_will(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    await penniless(provider.world)
    with pytest.raises(InsituError, match="InsufficientFunds"):
        await consumer.agreements.buy(workflow, relay=False)
    assert await consumer.agreements.list() == ()


async def test_a_gateway_that_does_not_relay_is_named(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with market(chain, tmp_path, relay=False) as provider:
        consumer, workflow = await ready(provider)
        await penniless(provider.world)
        with pytest.raises(InsituError, match="cannot pay for gas") as refused:
            await consumer.agreements.buy(workflow)
        assert refused.value.code == "RelayOff"


async def test_a_limit_of_the_gateway_is_reported_at_once(chain: EmbeddedChain, tmp_path: Path) -> None:
    async with market(chain, tmp_path, relays_per_day=0) as provider:
        consumer, workflow = await ready(provider)
        with pytest.raises(InsituError, match="RelayLimitReached"):
            await consumer.agreements.buy(workflow, relay=True)


async def test_everything_is_relayed_if_there_is_nothing_to_publish(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    await penniless(provider.world)
    execution = await consumer.compute.run_workflow(workflow, max_price=Amount.from_base_units(13))
    assert (await execution.wait(60)).phase is Phase.SUCCEEDED


async def test_buying_again_with_the_same_seed_is_relayed_once(provider: Market) -> None:
    consumer, workflow = await ready(provider)
    first = await consumer.agreements.buy(workflow, relay=True, seed="5e" * 32)
    again = await consumer.agreements.buy(workflow, relay=True, seed="5e" * 32)
    assert again.id == first.id
    assert len(await consumer.agreements.list()) == 1


async def test_a_client_that_died_while_it_waited_buys_once(chain: EmbeddedChain, tmp_path: Path) -> None:
    """The gateway has promised and not sent yet; the second call cannot see the first one on chain."""
    async with market(chain, tmp_path, granting=False, relay=False) as provider:
        consumer, workflow = await ready(provider)
        object.__setattr__(provider.world.configuration, "relay", True)
        before = await consumer.chain.balance(consumer.account)
        buying = partial(consumer.agreements.buy, workflow, relay=True, seed="5e" * 32, wait=False)
        async with anyio.create_task_group() as first:
            first.start_soon(buying)
            await until(lambda: waiting(provider))
            first.cancel_scope.cancel()
        assert await consumer.agreements.list() == ()

        # Within one second of the chain both calls would sign the same terms, and be the same request.
        await provider.world.pass_time(5)
        again, detour = await provider.client("consumer")
        refused = anyio.Event()
        detour.answered = noting(refused)
        async with anyio.create_task_group() as second:
            second.start_soon(partial(again.agreements.buy, workflow, relay=True, seed="5e" * 32, wait=False))
            with anyio.fail_after(60):
                await refused.wait()
            await until(lambda: sent(provider))
        assert [agreement.terms.seed for agreement in await consumer.agreements.list()] == ["0x" + "5e" * 32]
        assert await consumer.chain.balance(consumer.account) == before - 13


async def waiting(provider: Market) -> bool:
    """Whether there is something to send."""
    return bool(await provider.world.agreements.due(provider.world.gateway.ports.clock.now()))


async def sent(provider: Market) -> bool:
    """Whether there is nothing to send after a turn of the outbox."""
    worked, unmined = await provider.world.gateway.dispatcher.turn()
    return not worked and not unmined


def noting(refused: anyio.Event) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """Notice that a purchase is refused because there is another one with its seed."""

    def answered(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/agreements") and response.status_code == 409:
            assert response.json()["code"] == "AgreementExists"
            refused.set()
        return response

    return answered


async def test_an_answer_that_is_lost_on_its_way_costs_nothing_twice(provider: Market) -> None:
    """The gateway is cut off while it is asked again; only what is on chain counts."""
    _, workflow = await ready(provider)
    consumer, detour = await provider.client("consumer")
    asked: list[str] = []

    def unsent(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/agreements"):
            return response
        asked.append(request.url.path)
        return httpx.Response(202, json=response.json() | {"transaction": None, "status": "sent"}, request=request)

    detour.answered = unsent
    bought = await consumer.agreements.buy(workflow, relay=True)
    assert (bought.status, bought.transaction, asked) == ("granted", None, asked[:1])
    assert len(await consumer.agreements.list()) == 1


FALSE_OFFERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "of nobody": lambda offer: offer.update(signature="0x" + "11" * 64 + "1b"),
    "that is none": lambda offer: offer.update(signature="0x" + "ff" * 65),
}


@pytest.mark.parametrize("what", list(FALSE_OFFERS))
async def test_an_offer_that_the_provider_did_not_sign_is_not_sent(provider: Market, what: str) -> None:
    _, workflow = await ready(provider)
    consumer, detour = await provider.client("consumer")
    before = await consumer.chain.balance(consumer.account)
    detour.answered = answering("/offers", FALSE_OFFERS[what])
    with pytest.raises(InsituError) as refused:
        await consumer.agreements.buy(workflow, offer=True)
    assert refused.value.code == "SignatureMismatch"
    assert (await consumer.chain.balance(consumer.account), await consumer.agreements.list()) == (before, ())
