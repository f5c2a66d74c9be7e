"""PUBLISHER publishes the DDO in the METADATA-API. It must include at least one service of type "compute".

A document is *pending* if its signer is the creator that the DID derives from, and *listed* once DID and checksum are
seen on chain. Every version that was on chain stays readable by its checksum.
"""

import pytest

from insitu.api.metadata_v1 import DDO
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.sdk.client import Client
from tests.metadata.documents import dataset, eventually, register, signed
from tests.sdk.market import Market

pytestmark = pytest.mark.needs("chain")


@pytest.fixture
def provider(shared_provider: Market) -> Market:
    return shared_provider


async def pending(provider: Market) -> tuple[Client, JsonObject, object]:
    publisher, _ = await provider.client("owner")
    signer = provider.world.people["owner"]
    unsigned = dataset(provider.world.chain, signer)
    document = signed(unsigned, signer)
    status = await publisher.metadata.publish(document)
    assert (status.state, status.did) == ("pending", document["id"])
    return publisher, document, unsigned


async def test_a_document_is_pending_until_its_did_is_on_chain(provider: Market) -> None:
    publisher, document, unsigned = await pending(provider)
    with pytest.raises(InsituError, match="AssetNotFound"):
        await publisher.metadata.document(document["id"])
    assert (await publisher.assets.search(document["id"])).total_results == 0

    await register(provider.world.chain, unsigned, provider.world.people["owner"])

    async def is_listed() -> bool:
        return (await publisher.assets.status(document["id"])).state == "listed"

    await eventually(is_listed)
    assert await publisher.metadata.document(document["id"]) == document
    assert (await publisher.assets.search(document["id"])).results == (document,)


async def test_nobody_publishes_under_the_did_of_another(provider: Market) -> None:
    stranger, detour = await provider.client("stranger")
    unsigned = dataset(provider.world.chain, provider.world.people["owner"])
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await stranger.metadata.publish(signed(unsigned, provider.world.people["stranger"]))
    assert detour.seen[-1].url.path == DDO


async def test_a_data_set_without_a_compute_service_is_refused_unless_it_is_meant(provider: Market) -> None:
    publisher, _ = await provider.client("owner")
    mute = {"name": "Mute", "type": "dataset", "author": "A", "files": []}
    with pytest.raises(InsituError, match="NoComputeService"):
        await publisher.assets.register_asset(mute)
    assert (await publisher.assets.register_asset(mute, without_compute=True)).did


async def test_a_new_owner_keeps_the_list_of_files_or_seals_all_of_them_again(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    buyer, _ = await provider.client("second-owner")
    did = await provider.dataset(owner, "Sold")
    await owner.assets.transfer(did, buyer.account)
    services = [service.to_json() for service in (await owner.assets.resolve(did)).service]
    services[0]["attributes"]["additionalInformation"] = {"description": "bought"}

    async def opened() -> tuple[object, list[str | None]]:
        desk = provider.world.desk
        found = await desk.list_reader.open(await desk.ports.resolver.resolve(did))
        return found.sealer, [file.url for file in found.files]

    theirs = provider.data_file().as_uri()
    await buyer.assets.update_asset(did, {}, services)
    assert await opened() == (owner.account, [theirs])
    own = provider.data_file("own.csv")
    await buyer.assets.update_asset(did, {}, services, files=[own])
    assert await opened() == (buyer.account, [own.as_uri()])
    with pytest.raises(InsituError, match="NotOwner"):
        await owner.assets.update_asset(did, {}, services, files=[provider.data_file()])


async def test_updates_are_signed_by_the_owner_and_old_versions_stay_readable(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    stranger, _ = await provider.client("stranger")
    did = await provider.dataset(owner)
    before = await owner.assets.resolve(did)
    old = (await owner.chain.did_record(did)).checksum
    services = [service.to_json() for service in before.service]
    services[0]["attributes"]["additionalInformation"] = {"description": "corrected"}
    with pytest.raises(InsituError, match="NotOwner"):
        await stranger.assets.update_asset(did, {}, services)

    after = await owner.assets.update_asset(did, {}, services)

    assert await owner.assets.resolve(did) == after.ddo
    assert await stranger.assets.resolve(did, old) == before
