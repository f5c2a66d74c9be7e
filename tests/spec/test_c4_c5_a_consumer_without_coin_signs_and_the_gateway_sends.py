"""C3–C7. The CONSUMER signs once; anyone may send it. The gateway does, and grants in the same transaction."""

from collections.abc import AsyncIterator

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ledger import AgreementCreated, ComputeFulfilled, LockFulfilled
from insitu.sdk.agreements import Agreement
from tests.market import LOCKED, PAID
from tests.spec.conftest import Market

ONE_TRANSACTION = [AgreementCreated, LockFulfilled, ComputeFulfilled]


@pytest.fixture
async def penniless(market: Market) -> AsyncIterator[str]:
    """A workflow of a consumer who has tokens but not a wei of coin."""
    workflow, account = (await market.workflow()).did, market.consumer.account
    held = await market.rpc("eth_getBalance", account, "latest")
    await market.rpc("anvil_setBalance", account, "0x0")
    yield workflow
    assert await market.consumer.chain.native_balance(account) == 0
    await market.rpc("anvil_setBalance", account, held)


async def events(market: Market, agreement: Agreement) -> list[type]:
    assert agreement.transaction is not None
    mined = await market.consumer.chain.outcome(agreement.transaction)
    assert mined is not None
    return [type(logged.event) for logged in mined.events]


async def test_a_consumer_without_coin_buys_executes_and_gets_the_result(market: Market, penniless: str) -> None:
    before = await market.balances()
    agreement = await market.consumer.agreements.buy(penniless)
    assert (agreement.status, agreement.relayed) == ("granted", True)
    assert await market.changes(before) == LOCKED

    execution = await market.consumer.compute.execute(agreement.id)
    assert (await execution.wait(60)).phase is Phase.SUCCEEDED
    assert (await market.files(execution))["out.txt"] == "done"
    assert await market.changes(before) == PAID


async def test_creation_lock_and_grant_are_one_transaction(market: Market, penniless: str) -> None:
    assert await events(market, await market.consumer.agreements.buy(penniless)) == ONE_TRANSACTION


async def test_a_consumer_who_declines_help_learns_what_is_missing(market: Market, penniless: str) -> None:
    before = await market.balances()
    with pytest.raises(InsituError, match="cannot pay for the gas"):
        await market.consumer.agreements.buy(penniless, relay=False)
    assert await market.changes(before) == (0, 0, 0, 0)


async def test_without_await_it_is_the_same(market: Market, penniless: str) -> None:
    def bought() -> Agreement:
        with market.provider.client("consumer") as client:
            agreement: Agreement = client.agreements.buy(penniless)
            return agreement

    agreement = await anyio.to_thread.run_sync(bought)
    assert (agreement.status, agreement.relayed) == ("granted", True)


async def test_with_the_providers_offer_the_consumers_transaction_is_granted(market: Market) -> None:
    workflow, before = (await market.workflow()).did, await market.balances()
    agreement = await market.consumer.agreements.buy(workflow, offer=True)
    assert (agreement.status, agreement.relayed) == ("granted", False)
    assert await events(market, agreement) == ONE_TRANSACTION
    assert await market.changes(before) == LOCKED
    assert agreement.executable
