"""C4, C5. The CONSUMER initialises the agreement on chain and locks the payment: one transaction with a permit."""

from insitu.domain.ledger import AgreementCreated, LockFulfilled
from tests.spec.conftest import PRICE, SERVER_PRICE, Market


async def test_did_service_consumer_and_workflow_are_on_chain(market: Market) -> None:
    agreement = await market.buy()
    terms = await market.consumer.chain.find_terms(agreement.id)
    assert terms is not None
    assert terms.consumer == market.consumer.account
    assert terms.did == "0x" + (await market.dataset()).did.removeprefix("did:nv:")
    assert terms.workflow_id == "0x" + agreement.workflow_did.removeprefix("did:nv:")
    assert terms.service_index == (await market.dataset()).ddo.compute_service().index


async def test_creation_and_lock_are_one_transaction(market: Market) -> None:
    agreement = await market.buy()
    assert agreement.transaction is not None
    mined = await market.consumer.chain.outcome(agreement.transaction)
    assert mined is not None
    kinds = [type(logged.event) for logged in mined.events]
    assert AgreementCreated in kinds
    assert LockFulfilled in kinds


async def test_the_price_is_in_escrow_and_nowhere_else(market: Market) -> None:
    chain, consumer = market.consumer.chain, market.consumer.account
    escrow = chain.agreements.contract
    workflow = await market.workflow()
    before = (await chain.balance(consumer), await chain.balance(escrow))
    await market.consumer.agreements.buy(workflow.did)
    price = PRICE + SERVER_PRICE
    assert (await chain.balance(consumer), await chain.balance(escrow)) == (before[0] - price, before[1] + price)
