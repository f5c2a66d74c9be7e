"""`kill -9` of a gateway that has accepted a signed request: one registration, whenever it happens."""

import os
from contextlib import suppress

import anyio
import pytest

from insitu.adapters.keys.dev import dev_signer
from insitu.domain.errors import InsituError
from insitu.domain.registry_requests import RegistrationBatch, RegistrationItem, registry_domain
from insitu.domain.signed_request import SignedRequest
from tests.market import Market


async def signed_batch(market: Market) -> SignedRequest:
    """What an owner's client would sign for two assets."""
    chain, signer, info = market.consumer.chain, dev_signer("consumer"), await market.consumer.gateway.info()
    items = tuple(
        RegistrationItem(os.urandom(32), os.urandom(32), (info.provider_address,), info.metadata_url) for _ in range(2)
    )
    batch = RegistrationBatch(signer.address, items, await chain.time() + 500)
    registry = chain.contract("DIDRegistry")
    signature = signer.sign_digest(batch.digest(registry_domain(chain.agreements.chain_id, registry)))
    return SignedRequest(
        chain_id=chain.agreements.chain_id,
        registry=registry,
        registrations=batch,
        signature="0x" + signature.hex(),
    )


@pytest.mark.parametrize("milliseconds", [0, 15, 30, 60, 120, 300])
async def test_a_gateway_that_is_killed_sends_a_request_once(market: Market, milliseconds: int) -> None:
    request = await signed_batch(market)
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with suppress(InsituError):
                await market.consumer.gateway.relay_request(request)

        tasks.start_soon(ask)
        await anyio.sleep(milliseconds / 1000)
        market.provider.kill()
        await anyio.to_thread.run_sync(market.provider.start)

    status = ""
    with anyio.fail_after(60):
        while status != "done":
            with suppress(InsituError):
                status = (await market.consumer.gateway.relay_request(request)).status
            await anyio.sleep(0.1)
    for did in request.dids:
        record = await market.consumer.chain.did_record(did)
        assert record is not None
        assert (record.owner, record.version) == (market.consumer.account, 1)
