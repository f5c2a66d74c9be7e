"""PUBLISHER generates a DID, creates the DDO with metadata, public key, services; one call `registerAsset`.

The call is `register_asset(asset_metadata, services_description, publisher_public_key)`; the key defaults to the
wallet's. It does P1–P3; a retry gives the same DID.
"""

import inspect
from typing import Any

import pytest

from insitu.domain.canonical import checksum
from insitu.domain.did import derive_did
from insitu.domain.integrity import creator_of, service_checksums, signed_proof
from insitu.domain.signatures import recover_address
from insitu.sdk.assets import Assets
from tests.gateway.world import IMAGE, SMALL
from tests.sdk.market import Market

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def provider(shared_provider: Market) -> Market:
    return shared_provider


METADATA: dict[str, Any] = {
    "main": {
        "name": "UK Weather information 2011",
        "type": "dataset",
        "author": "Met Office",
        "license": "CC-BY",
        "files": [{"url": "https://93.184.216.34/weather.csv", "contentType": "text/csv"}],
    },
    "additionalInformation": {"description": "Weather of the United Kingdom", "tags": ["weather"]},
}
COMPUTE = {
    "type": "compute",
    "attributes": {
        "main": {
            "price": "10",
            "timeout": 86400,
            "provider": {
                "type": "Azure",
                "description": "",
                "environment": {
                    "cluster": {"type": "Kubernetes", "url": "http://10.0.0.17/xxx"},
                    "supportedContainers": [IMAGE],
                    "supportedServers": [SMALL],
                },
            },
        }
    },
}


def named(name: str) -> dict[str, Any]:
    """The metadata under another name: each test publishes its own asset."""
    return {**METADATA, "main": {**METADATA["main"], "name": name}}


def test_the_call_has_the_parameters_of_the_specification() -> None:
    names = [name for name in inspect.signature(Assets.register_asset).parameters if name != "self"]
    assert names[:3] == ["asset_metadata", "services_description", "publisher_public_key"]


async def test_the_document_has_did_metadata_public_key_and_services(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    asset = await publisher.assets.register_asset(METADATA, [COMPUTE])
    document = asset.ddo.to_json()

    assert document["id"] == asset.did
    assert document["@context"] == "https://w3id.org/did/v1"
    assert [key["owner"] for key in document["publicKey"]] == [publisher.account]
    assert [service["type"] for service in document["service"]] == ["metadata", "compute"]
    main = document["service"][0]["attributes"]["main"]
    assert (main["name"], main["author"]) == ("UK Weather information 2011", "Met Office")
    assert document["service"][0]["attributes"]["additionalInformation"] == METADATA["additionalInformation"]


async def test_the_did_derives_from_the_services_and_the_publisher(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    ddo = (await publisher.assets.register_asset(METADATA, [COMPUTE])).ddo
    checksums = {str(service.index): checksum(service.main) for service in ddo.service}
    assert ddo.proof is not None
    assert ddo.proof.checksum == checksums == service_checksums(ddo)
    assert ddo.did == derive_did(checksums, publisher.account)
    assert creator_of(ddo) == recover_address(*signed_proof(ddo)[:2]) == publisher.account


async def test_the_compute_service_has_what_the_specification_lists(provider: Market) -> None:
    """serviceDefinitionId, templateId, endpoint, condition keys, parameters, timeouts, dependencies, handlers."""
    publisher, _ = await provider.client("owner")
    service = (await publisher.assets.register_asset(METADATA, [COMPUTE])).ddo.compute_service()
    template = service.main["serviceAgreementTemplate"]
    assert service.index == 4
    assert service.template_id == template["contractAddress"] == publisher.chain.agreements.contract
    assert service.service_endpoint == f"{publisher.gateway.url}/api/v1/gateway/services/exec"
    assert [condition["name"] for condition in template["conditions"]] == ["lockReward", "execCompute", "escrowReward"]
    assert template["fulfillmentOrder"] == ["lockReward.fulfill", "execCompute.fulfill", "escrowReward.fulfill"]
    assert template["conditionDependency"]["escrowReward"] == ["lockReward", "execCompute"]
    for condition in template["conditions"]:
        assert len(condition["conditionKey"]) == 66
        assert condition["parameters"]
        assert all(event["handler"]["moduleName"] for event in condition["events"])
    assert service.main["provider"]["environment"]["cluster"]["type"] == "Kubernetes"
    assert service.main["creator"] == publisher.account


async def test_another_public_key_can_be_published(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    key = provider.world.address("second-owner")
    asset = await publisher.assets.register_asset(named("With a key"), [COMPUTE], key)
    assert [one["owner"] for one in asset.ddo.to_json()["publicKey"]] == [key]
    assert await publisher.assets.owner(asset.did) == publisher.account


async def test_urls_of_files_are_sealed_and_never_published(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    asset = await publisher.assets.register_asset(METADATA, [COMPUTE])
    assert "93.184.216.34" not in str(asset.ddo.to_json())
    metadata = asset.ddo.metadata
    assert metadata is not None
    assert metadata.main["files"] == [{"index": 0, "contentType": "text/csv"}]
    desk = provider.world.desk
    opened = await desk.list_reader.open(await desk.ports.resolver.resolve(asset.did))
    assert opened.sealer == publisher.account
    assert [file.url for file in opened.files] == ["https://93.184.216.34/weather.csv"]


async def test_a_retry_gives_the_same_did(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    first = await publisher.assets.register_asset(named("Again"), [COMPUTE])
    again, _ = await provider.client("owner")
    second = await again.assets.register_asset(named("Again"), [COMPUTE])
    assert (second.did, second.reused, first.reused) == (first.did, True, False)
