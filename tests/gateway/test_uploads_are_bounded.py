"""Uploads: nobody fills the disk, and an upload that no registered asset names is deleted after a day."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from insitu.api.gateway_v1 import EncryptRequest
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import Call
from insitu.domain.service import File
from insitu.gateway.files.source_opener import upload_url
from insitu.gateway.files.upload_receiver import UploadReceiver
from insitu.ports.agreement_changes import NameUploads
from insitu.sdk.resolving import Resolver
from tests.doubles.clock import ControlledClock
from tests.gateway.world import World

pytestmark = pytest.mark.needs("chain")

KIB = 1024
NETWORK = "192.0.2.0/24"
DAY = timedelta(days=1)


def limit(provider: World, **values: int) -> None:
    for name, value in values.items():
        object.__setattr__(provider.configuration, name, value)


async def content(size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, 4 * KIB):
        yield secrets.token_bytes(min(4 * KIB, size - start))


def wallet() -> Address:
    return Address("0x" + secrets.token_hex(20))


async def receive(
    provider: World, size: int, owner: Address | None = None, network: str = NETWORK, *, says: int | None = None
) -> str:
    """Upload this many bytes, and announce perhaps another number. Return the id, or the code of the refusal."""
    uploads = provider.desk.agents.of(UploadReceiver)
    try:
        found = await uploads.receive(owner or wallet(), content(size), announced=says, network=network)
    except InsituError as error:
        return error.code
    return found.upload_id


def on_disk(provider: World) -> int:
    """Return the number of files in the blob store, including those being received."""
    return sum(path.is_file() for path in provider.blobs._root.rglob("*"))


async def test_wallets_without_a_stake_share_the_space_of_their_network(provider: World) -> None:
    limit(provider, uploads_per_network=100 * KIB, uploads_of_strangers=150 * KIB)
    assert len(await receive(provider, 60 * KIB, says=60 * KIB)) == 32
    before = on_disk(provider)
    assert await receive(provider, 60 * KIB, says=60 * KIB) == "UploadShareUsed"
    assert await receive(provider, 60 * KIB) == "UploadShareUsed", "what is not announced ends where the room does"
    assert on_disk(provider) == before
    assert await receive(provider, 100, says=95 * KIB, network="198.51.100.0/24") == "UploadsFull"
    assert len(await receive(provider, 60 * KIB, provider.address("owner"))) == 32


async def test_a_unit_of_token_gives_no_space_of_its_own_and_coin_does(provider: World) -> None:
    limit(provider, uploads_per_network=100 * KIB, uploads_of_strangers=150 * KIB)
    poor = [wallet() for _ in range(2)]
    for one in poor:
        transfer = Call("NeverminedToken", "transfer", (one, 1))
        await provider.chain.transact(transfer, provider.people["owner"])
    assert len(await receive(provider, 60 * KIB, poor[0])) == 32
    stake = provider.configuration.stake
    await provider.chain.rpc("anvil_setBalance", poor[1], hex(stake - 1))
    assert await receive(provider, 60 * KIB, poor[1]) == "UploadShareUsed"
    await provider.chain.rpc("anvil_setBalance", poor[1], hex(stake))
    assert len(await receive(provider, 60 * KIB, poor[1])) == 32


async def test_an_account_with_a_stake_has_its_own_space_within_the_total(provider: World) -> None:
    limit(provider, uploads_per_account=100 * KIB, uploads_total=180 * KIB)
    owner, other = provider.address("owner"), provider.address("second-owner")
    assert len(await receive(provider, 90 * KIB, owner)) == 32
    assert await receive(provider, 90 * KIB, owner) == "UploadShareUsed"
    assert await receive(provider, 90 * KIB, other, says=90 * KIB) == "UploadsFull"
    assert len(await receive(provider, 40 * KIB, other)) == 32


async def test_the_disk_is_never_filled_up(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [100 * KIB]

    async def free() -> int:
        return left[0]

    monkeypatch.setattr(provider.blobs, "free", free)
    limit(provider, free_disk=50 * KIB)
    assert await receive(provider, 60 * KIB, says=60 * KIB) == "UploadsFull"
    assert len(await receive(provider, 40 * KIB, says=40 * KIB)) == 32
    monkeypatch.setattr("insitu.gateway.files.upload_receiver.LOOK_AGAIN", 8 * KIB)
    before = on_disk(provider)

    async def filling() -> AsyncIterator[bytes]:
        async for chunk in content(40 * KIB):
            left[0] -= 20 * KIB  # used by someone else
            yield chunk

    with pytest.raises(InsituError, match="UploadsFull"):
        await provider.desk.agents.of(UploadReceiver).receive(wallet(), filling(), announced=40 * KIB, network=NETWORK)
    assert on_disk(provider) == before


async def upload_of(provider: World, did: str) -> str:
    """Return the upload that an asset's list names. The list is noted as if a call had sealed it."""
    listed = await provider.desk.list_reader.open(await provider.desk.ports.resolver.resolve(did))
    await provider.desk.agents.of(UploadReceiver).name(did, provider.address("consumer"), listed.files)
    return str(listed.files[0].url).removeprefix(upload_url(""))


async def pass_days(provider: World, days: float) -> None:
    """Sweep as if this much time had passed since everything was stored."""
    ports = provider.desk.ports
    later = replace(ports, clock=ControlledClock(ports.clock.now() + timedelta(days=days)))
    await replace(provider.desk.agents.of(UploadReceiver), ports=later).sweep()


async def is_kept(provider: World, upload_id: str) -> bool:
    return await provider.agreements.upload(upload_id) is not None


async def test_an_interrupted_upload_frees_its_space(provider: World) -> None:
    limit(provider, uploads_per_network=100 * KIB)
    before = on_disk(provider)

    async def broken() -> AsyncIterator[bytes]:
        async for chunk in content(20 * KIB):
            yield chunk
        raise ConnectionResetError

    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            await provider.desk.agents.of(UploadReceiver).receive(
                wallet(), broken(), announced=90 * KIB, network=NETWORK
            )
    assert on_disk(provider) == before
    assert len(await receive(provider, 90 * KIB, says=90 * KIB)) == 32


async def test_an_upload_that_no_list_names_is_deleted_after_a_day(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = await receive(provider, KIB)
    before = on_disk(provider)
    await pass_days(provider, 0.9)
    assert await is_kept(provider, upload_id)
    await pass_days(provider, 1.1)
    assert not await is_kept(provider, upload_id)
    assert on_disk(provider) == before - 1


async def test_the_list_of_an_unregistered_did_keeps_no_upload(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = provider.address("consumer")
    upload_id = await receive(provider, KIB, consumer)
    file = File.read({"index": 0, "url": upload_url(upload_id)})
    await provider.desk.agents.of(UploadReceiver).name("did:nv:" + secrets.token_hex(32), consumer, [file])
    await pass_days(provider, 1.1)
    assert not await is_kept(provider, upload_id)


async def test_an_upload_that_a_registered_asset_names_stays(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    did = await provider.publish_algorithm()
    upload_id = await upload_of(provider, did)
    for days in (1.1, 400):
        await pass_days(provider, days)
        assert await is_kept(provider, upload_id)


async def test_an_upload_that_cannot_be_judged_now_stays(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    did = await provider.publish_algorithm()
    upload_id = await upload_of(provider, did)

    async def away(*_: object) -> None:
        raise InsituError("PeerUnavailable", "the catalogue does not answer")

    monkeypatch.setattr(Resolver, "resolve", away)
    await pass_days(provider, 2)
    assert await is_kept(provider, upload_id)


async def test_a_bought_version_keeps_an_upload_that_the_current_one_no_longer_names(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm = await provider.publish_algorithm()
    upload_id = await upload_of(provider, algorithm)
    replaced = await receive(provider, KIB, provider.address("consumer"))
    await provider.agreements.apply(
        [NameUploads(algorithm, provider.address("consumer"), (replaced,), provider.gateway.ports.clock.now())]
    )
    await pass_days(provider, 1.1)
    assert not await is_kept(provider, replaced), "the present version names another one"

    replaced = await receive(provider, KIB, provider.address("consumer"))
    await provider.agreements.apply(
        [NameUploads(algorithm, provider.address("consumer"), (replaced,), provider.gateway.ports.clock.now())]
    )
    dataset = await provider.publish_dataset()
    agreement = await provider.buy(await provider.simple_workflow(dataset, algorithm=algorithm))
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")
    await pass_days(provider, 2.2)
    assert await is_kept(provider, replaced), "an execution used a version of it"
    assert await is_kept(provider, upload_id)


async def test_sealing_a_list_names_its_uploads(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = provider.address("consumer")
    upload_id = await receive(provider, KIB, consumer)
    asset = await provider.publish_algorithm()
    request = EncryptRequest(did=asset, files=({"url": upload_url(upload_id)},))
    await provider.gateway.list_writer.seal(provider.caller("consumer", "encrypt"), request)
    found = await provider.agreements.unnamed_uploads(provider.gateway.ports.clock.now() + timedelta(seconds=1))
    assert (asset,) in [dids for upload, dids in found if upload.upload_id == upload_id]
