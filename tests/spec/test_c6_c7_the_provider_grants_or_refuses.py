"""C6, C7. The PROVIDER, via GATEWAY, receives LockReward.Fulfilled; it grants what fits its documents, else refuses."""

import anyio

from insitu.domain.agreement import agreement_id
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId, new_seed
from insitu.domain.ledger import create_and_lock
from tests.allowances import approve
from tests.spec.conftest import Market


async def locked(market: Market, **changes: object) -> AgreementId:
    """Lock terms that the SDK would not make: those of a good agreement with a change."""
    good = (await market.buy()).terms
    terms = good.model_copy(update={"seed": "0x" + new_seed(), **changes})
    chain, signer = market.consumer.chain, market.consumer._signer
    await chain.transact(approve(chain.agreements.contract, terms.total), signer)
    await chain.transact(create_and_lock(terms), signer)
    return agreement_id(terms, chain.agreements)


async def decided(market: Market, agreement: AgreementId) -> str:
    with anyio.fail_after(20):
        async for _ in market.consumer.chain.follow(()):
            status = (await market.consumer.agreements.show(agreement)).status
            if status != "locked":
                return status
    raise AssertionError("the chain ended")


async def test_terms_that_fit_the_documents_are_granted(market: Market) -> None:
    assert await decided(market, await locked(market)) == "granted"


async def test_terms_that_pay_less_than_the_price_are_refused_and_the_money_goes_back(market: Market) -> None:
    good = await market.buy()
    before = (await market.consumer.balance()).base_units
    agreement = await locked(market, amounts=(good.terms.amounts[0] - 1, *good.terms.amounts[1:]))
    bought_again = good.terms.total  # ``locked`` bought a good agreement to copy it
    assert await decided(market, agreement) == "refunded"
    assert (await market.consumer.balance()).base_units == before - bought_again


async def test_terms_for_another_version_of_a_document_are_refused(market: Market) -> None:
    assert await decided(market, await locked(market, inputs_hash="0x" + "12" * 32)) == "refunded"


async def test_terms_with_other_receivers_are_refused(market: Market) -> None:
    good = await market.buy()
    others = (market.stranger.account,) * len(good.terms.receivers)
    assert await decided(market, await locked(market, receivers=others)) == "refunded"


async def test_a_gateway_that_was_down_grants_when_it_is_back(market: Market) -> None:
    workflow = await market.workflow()
    agreement = await market.consumer.agreements.buy(workflow.did, wait=False)
    market.provider.kill()
    market.provider.start()
    with anyio.fail_after(30):
        while True:
            try:
                granted = await market.consumer.agreements.wait_for_grant(agreement.id)
                break
            except InsituError as error:
                if error.code != "ChainUnavailable":
                    raise
    assert granted.executable
