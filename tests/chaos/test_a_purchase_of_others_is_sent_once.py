"""`kill -9` of a gateway that has accepted a signed purchase: one agreement and one payment, whenever it happens."""

from contextlib import suppress

import anyio
import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.api.gateway_v1 import Purchase, PurchaseRequest
from insitu.domain.agreement import agreement_id, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.purchase import SignedPermit
from insitu.sdk.quotes import terms_of
from tests.market import LOCKED, Market


async def signed_purchase(market: Market) -> PurchaseRequest:
    """What the consumer's client would sign for the usual workflow."""
    chain, signer = market.consumer.chain, dev_signer("consumer")
    quote = await market.consumer.agreements.check((await market.workflow()).did)
    terms = terms_of(quote, signer.address, await chain.time())
    permit = await chain.permit(signer, chain.agreements.contract, terms.total, terms.deadline)
    signature = "0x" + signer.sign_digest(terms_digest(terms, chain.agreements)).hex()
    return PurchaseRequest(terms=terms, signature=signature, permit=SignedPermit.of(permit))


async def until_granted(market: Market, request: PurchaseRequest) -> Purchase:
    """Ask again and again, as a client does, until the gateway is there."""
    with anyio.fail_after(60):
        while True:
            with suppress(InsituError):
                answer = await market.consumer.gateway.relay(request)
                if answer.status == "granted":
                    return answer
            await anyio.sleep(0.1)


@pytest.mark.parametrize("milliseconds", [0, 15, 30, 60, 120, 300])
async def test_a_gateway_that_is_killed_sends_a_purchase_once(market: Market, milliseconds: int) -> None:
    request, before = await signed_purchase(market), await market.balances()
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with suppress(InsituError):
                await market.consumer.gateway.relay(request)

        tasks.start_soon(ask)
        await anyio.sleep(milliseconds / 1000)
        market.provider.kill()
        await anyio.to_thread.run_sync(market.provider.start)

    answer = await until_granted(market, request)

    agreement = agreement_id(request.terms, market.consumer.chain.agreements)
    assert answer.service_agreement_id == agreement
    made = [one.id for one in await market.consumer.agreements.list()]
    assert made.count(agreement) == 1
    assert await market.changes(before) == LOCKED
    execution = await market.consumer.compute.execute(agreement)
    await execution.stop()
