"""P2. The PUBLISHER publishes the DDO in the METADATA-API; it is listed once the chain knows DID and checksum."""

import httpx
import pytest

from insitu.api.metadata_v1 import DDO
from insitu.domain.assembly import assemble_ddo
from insitu.domain.errors import InsituError
from tests.spec.conftest import Market

SERVICES = [
    {
        "type": "metadata",
        "index": 0,
        "serviceEndpoint": "http://127.0.0.1/x",
        "attributes": {
            "main": {
                "name": "unregistered",
                "type": "dataset",
                "author": "a",
                "license": "CC0",
                "price": "0",
                "files": [],
                "dateCreated": "2026-01-01T00:00:00Z",
            }
        },
    }
]


def signed(market: Market, *, by: str = "publisher") -> dict[str, object]:
    """A document that is not on chain, signed by the publisher or by somebody else."""
    unsigned = assemble_ddo(SERVICES, market.publisher.account, "2026-01-01T00:00:00Z")
    signer = getattr(market, by)._signer
    return unsigned.signed(signer.sign_digest(unsigned.digest)).to_json()


async def test_a_document_is_pending_and_in_no_list_until_it_is_on_chain(market: Market) -> None:
    status = await market.publisher.metadata.publish(signed(market), without_compute=True)
    assert status.state == "pending"
    found = await market.consumer.assets.search("unregistered")
    assert found.total_results == 0


async def test_only_the_creator_that_the_did_derives_from_may_publish_it(market: Market) -> None:
    with pytest.raises(InsituError) as refused:
        await market.stranger.metadata.publish(signed(market, by="stranger"), without_compute=True)
    assert refused.value.code in {"SignatureMismatch", "NotOwner"}


async def test_a_registered_document_is_listed_and_found(market: Market) -> None:
    asset = await market.dataset()
    assert (await market.consumer.assets.status(asset.did)).state == "listed"
    found = await market.consumer.assets.search("words")
    assert asset.did in {result["id"] for result in found.results}


async def test_every_version_on_chain_stays_readable_by_its_checksum(market: Market) -> None:
    first = await market.dataset("versions")
    services = [one.to_json() for one in first.ddo.service]
    services[0]["attributes"]["additionalInformation"] = {"description": "second version"}
    second = await market.publisher.assets.update_asset(first.did, {}, services)
    assert second.checksum != first.checksum
    for version in (first, second):
        read = await market.consumer.assets.resolve(first.did, version.checksum)
        assert read.to_json() == version.ddo.to_json()


async def test_a_data_set_without_a_compute_service_is_refused_unless_asked_for(market: Market) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(market.provider.url + DDO, json=signed(market))
    assert answer.json()["code"] == "NoComputeService"
