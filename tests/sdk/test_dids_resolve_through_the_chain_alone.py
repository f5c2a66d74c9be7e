"""PUBLISHER registers the DID on chain, associating it to the METADATA API url that resolves it.

`DIDRegistry.registerAttribute`. Resolving = registry → url with `{did}` → GET → verify the checksum; it needs no
configured metadata url.
"""

import httpx
import pytest

from insitu.adapters.chain.client import EvmChain
from insitu.domain.errors import InsituError
from insitu.domain.integrity import onchain_checksum
from insitu.sdk.client import Client
from insitu.sdk.http import Http
from tests.sdk.market import Detour, Market

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def provider(shared_provider: Market) -> Market:
    return shared_provider


async def test_the_registry_has_owner_url_checksum_and_provider(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    asset = await publisher.assets.publish_dataset("Flights", [provider.data_file()], algorithms="any")
    record = await publisher.chain.did_record(asset.did)
    assert record is not None
    assert (record.owner, record.version) == (publisher.account, 1)
    assert record.url == "http://127.0.0.1:8030/api/v1/metadata/assets/ddo/{did}"
    assert record.checksum == onchain_checksum(asset.ddo) == asset.checksum
    assert await publisher.chain.is_provider(asset.did, provider.world.address("provider"))
    mined = await publisher.chain.outcome(asset.transaction)
    assert mined is not None
    events = [logged.event for logged in mined.events]
    assert record.registered in events


async def test_resolving_needs_no_configured_metadata_url(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    did = await provider.dataset(publisher)
    chain = EvmChain(provider.world.chain.url, provider.world.chain.deployments)
    async with Http(transport=Detour(provider.port)) as http:
        elsewhere = Client(
            chain,
            provider.world.people["stranger"],
            "http://nowhere.test",
            metadata_url="http://nowhere.test",
            http=http,
        )
        async with elsewhere:
            assert (await elsewhere.assets.resolve(did)).id == did


async def test_a_resolver_refuses_a_document_that_is_not_the_registered_one(provider: Market) -> None:
    publisher, detour = await provider.client("owner")
    did, other = await provider.dataset(publisher), await provider.dataset(publisher, "Other")
    another, _ = await provider.client("stranger")
    documents = {one: (await another.assets.resolve(one)).to_json() for one in (did, other)}

    def swapped(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(200, json=documents[other], request=request)

    detour.answered = swapped
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await publisher.assets.resolve(did)

    def changed(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        document = documents[did] | {"publicKey": [{"id": did, "type": "EthereumECDSAKey", "owner": "0x" + "1" * 40}]}
        return httpx.Response(200, json=document, request=request)

    detour.answered = changed
    with pytest.raises(InsituError, match="ChecksumMismatch") as refused:
        await publisher.assets.resolve(did)
    assert set(refused.value.context) == {"actual", "expected"}


async def test_what_is_not_registered_does_not_resolve(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    with pytest.raises(InsituError, match="AssetNotFound"):
        await publisher.assets.resolve("did:nv:" + "0" * 64)
    with pytest.raises(InsituError, match="InvalidDid"):
        await publisher.assets.resolve("did:nv:12345")
