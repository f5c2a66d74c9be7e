"""P1. The PUBLISHER generates a DID and creates the DDO with metadata, public key and services, in one SDK call."""

from insitu.domain.did import derive_did
from tests.spec.conftest import Market


async def test_the_did_derives_from_the_document_and_its_creator(market: Market) -> None:
    asset = await market.dataset()
    assert asset.ddo.proof is not None
    assert derive_did(asset.ddo.proof.checksum, market.publisher.account) == asset.ddo.did


async def test_the_ddo_has_did_metadata_public_key_and_services(market: Market) -> None:
    document = (await market.dataset()).ddo.to_json()
    assert document["id"].startswith("did:nv:")
    assert document["publicKey"][0]["owner"] == market.publisher.account
    assert {service["type"] for service in document["service"]} == {"metadata", "compute"}


async def test_the_call_is_register_asset_and_takes_metadata_services_and_public_key(market: Market) -> None:
    main = {"name": "notes", "type": "dataset", "author": "somebody", "license": "CC0", "price": "0", "files": []}
    asset = await market.publisher.assets.register_asset(
        {"main": main}, [], market.publisher.account, without_compute=True
    )
    assert (await market.consumer.assets.resolve(asset.did)).main["name"] == "notes"


async def test_a_retry_gives_the_same_did(market: Market) -> None:
    assert (await market.dataset("retried")).did == (await market.dataset("retried")).did


async def test_a_compute_service_has_what_the_specification_asks_for(market: Market) -> None:
    [service] = [one for one in (await market.dataset()).ddo.to_json()["service"] if one["type"] == "compute"]
    template = service["attributes"]["main"]["serviceAgreementTemplate"]
    assert service["serviceEndpoint"].startswith(market.provider.url)
    assert service["templateId"] == market.consumer.chain.agreements.contract
    assert [condition["name"] for condition in template["conditions"]] == ["lockReward", "execCompute", "escrowReward"]
    for condition in template["conditions"]:
        assert {"conditionKey", "parameters", "timeout", "events"} <= set(condition)
