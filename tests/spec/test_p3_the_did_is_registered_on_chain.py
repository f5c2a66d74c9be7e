"""P3. The PUBLISHER registers the DID on chain, pointing at the metadata url; resolving it verifies the document."""

import httpx

from insitu.domain.ddo import read_ddo
from insitu.domain.integrity import onchain_checksum
from tests.spec.conftest import Market


async def test_the_registry_has_owner_checksum_and_a_url_with_a_place_for_the_did(market: Market) -> None:
    asset = await market.dataset()
    record = await market.consumer.chain.did_record(asset.did)
    assert record is not None
    assert record.owner == market.publisher.account
    assert record.checksum.removeprefix("0x") == asset.checksum
    assert "{did}" in record.url


async def test_the_registry_alone_leads_to_the_document_and_proves_it(market: Market) -> None:
    asset = await market.dataset()
    record = await market.consumer.chain.did_record(asset.did)
    assert record is not None
    async with httpx.AsyncClient() as http:
        document = (await http.get(record.url.replace("{did}", asset.did))).json()
    assert onchain_checksum(read_ddo(document)) == record.checksum.removeprefix("0x")


async def test_the_gateway_is_a_provider_of_the_did(market: Market) -> None:
    asset = await market.dataset()
    gateway = (await market.consumer.gateway.info()).provider_address
    assert await market.consumer.chain.is_provider(asset.did, gateway)
    assert not await market.consumer.chain.is_provider(asset.did, market.stranger.account)
