"""E10. The GATEWAY or any other user requests releasePayment, which commits the receipt's hash on chain."""

import pytest

from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from tests.spec.conftest import PRICE, SERVER_PRICE, Market


async def test_the_receipts_hash_is_on_chain_and_everybody_has_their_share(market: Market) -> None:
    chain = market.consumer.chain
    gateway = (await market.consumer.gateway.info()).provider_address
    accounts = (market.consumer.account, market.publisher.account, gateway, chain.agreements.contract)
    before = [await chain.balance(account) for account in accounts]
    agreement, execution = await market.run()
    after = [await chain.balance(account) for account in accounts]
    changes = [new - old for new, old in zip(after, before, strict=True)]
    assert changes == [-PRICE - SERVER_PRICE, PRICE, SERVER_PRICE, 0]
    [settled] = await chain.find_settlements(agreement.id)
    assert settled.receipt_hash == (await execution.receipt()).receipt_hash


async def test_a_second_execution_of_the_agreement_costs_nothing(market: Market) -> None:
    agreement, _ = await market.run()
    before = (await market.consumer.balance()).base_units
    again = await market.consumer.compute.execute(agreement.id)
    view = await again.wait(60)
    assert view.charge == Amount.from_base_units(0)
    assert (await market.consumer.balance()).base_units == before


async def test_anybody_may_ask_for_the_release_and_it_happens_once(market: Market) -> None:
    _, execution = await market.run()
    receipt = await execution.receipt()
    with pytest.raises(InsituError) as refused:
        await market.stranger.release(receipt)
    assert refused.value.code == "ExecutionAlreadySettled"
