"""A sealed list opens in the versions of the DID that it was sealed for, with the rights of its sealer.

Everything in a document is public, including the sealed text, and the owner of a DID can register any document under
it. These are the attacks that follow, on a real chain, and what must keep working.
"""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from insitu.api.app import build_app
from insitu.api.gateway_v1 import EncryptRequest
from insitu.domain.assembly import assemble_ddo, identify
from insitu.domain.canonical import JsonObject, canonical_json
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import DidRegistered, register_attribute_for
from insitu.domain.service import File
from insitu.gateway.files.file_server import FileServer
from insitu.gateway.service import GatewayDesk
from insitu.metadata.routes import router as metadata_router
from insitu.sdk.http import Http
from insitu.sdk.metadata import MetadataClient
from tests.gateway.keyrings import derived_keyring
from tests.gateway.versions import document, register, revise, sell
from tests.gateway.world import PUBLIC_URL, SCRIPT, World, client, taken

pytestmark = pytest.mark.needs("chain")

PAIR = ("consumer", "second-consumer")
THEIRS, OURS = b"what the first consumer paid for\n", b"what the second consumer paid for\n"


async def result(provider: World, consumer: str, content: bytes) -> str:
    """Buy, run, and return the DID of the result."""
    workflow = await provider.simple_workflow(
        await provider.publish_dataset(), algorithm=await provider.publish_algorithm(consumer)
    )
    agreement = await provider.buy(workflow, consumer)
    provider.operator.runtime.script.update(await provider.output({"count.txt": content}))
    started = await provider.exec(agreement, consumer)
    await provider.until_events(started.workflow_execution_id, "end")
    return (await client(provider, consumer).result(agreement, started.workflow_execution_id)).did


def list_of(ddo: Ddo) -> Any:
    return ddo.to_json()["service"][0]["attributes"]["encryptedFiles"]


def seal(provider: World, who: str, did: str, name: str) -> str:
    """Seal a list of one file on the provider's machine for a DID."""
    path = provider.folder / "data" / name
    path.write_text("carrier,delay\n")
    file = File.read({"index": 0, "url": path.as_uri(), "name": name, "contentType": "text/csv"})
    return provider.desk.encrypter.seal(did, provider.address(who), [file])


def sealed_before(provider: World, creator: Address, content: bytes) -> str:
    """Return a list in the old form, which was bound only to creator and chain."""
    sha256 = hashlib.sha256(content).hexdigest()
    listed = [{"index": 0, "url": f"blob:{sha256}", "name": "count.txt", "contentType": "text/plain"}]
    key, nonce = derived_keyring(bytes(32)).files[0].key, bytes(12)
    bound = f"{creator.lower()}|{provider.chain.agreements.chain_id}".encode()
    sealed = nonce + AESGCM(key).encrypt(nonce, canonical_json(listed), bound)
    return "insitu1.1." + base64.urlsafe_b64encode(sealed).decode()


async def result_before(provider: World, consumer: str, sealed: str) -> str:
    """Register a result with this sealed list for its consumer, as the gateway does."""
    await provider.output({"theirs": THEIRS, "ours": OURS})
    signer = provider.people["provider"]
    entry = provider._metadata(
        {"type": "dataset", "name": "Result", "files": [{"index": 0, "contentType": "text/plain"}]}
    )
    entry["attributes"]["encryptedFiles"] = sealed
    unsigned = assemble_ddo([entry], signer.address, "2026-01-02T03:04:05Z")
    ddo = unsigned.signed(signer.sign_digest(unsigned.digest))
    url, checksum = await provider.metadata.publish(ddo.to_json()), bytes.fromhex(unsigned.checksum)
    call = register_attribute_for(unsigned.seed, checksum, [signer.address], url, provider.address(consumer))
    await provider.chain.transact(call, signer)
    await provider.metadata.status(str(unsigned.did), wait=20)
    return str(unsigned.did)


def metadata_app(provider: World) -> Any:
    return build_app("metadata", "0", [metadata_router(provider.metadata)], max_body_bytes=1024 * 1024)


async def reasons(provider: World, data: str) -> list[str]:
    """Return the reasons against a workflow on a data set."""
    quote = await provider.quote(await provider.simple_workflow(data), "stranger")
    return [reason.code for reason in quote.reasons]


@pytest.mark.slow
async def test_the_owner_of_one_result_does_not_read_the_results_of_others(provider: World) -> None:
    theirs = await result(provider, "consumer", THEIRS)
    ours = await result(provider, "second-consumer", OURS)
    assert await taken(provider, "second-consumer", ours) == OURS

    await revise(provider, "second-consumer", ours, encryptedFiles=list_of(await document(provider, theirs)))

    with pytest.raises(InsituError, match="InputElsewhere"):
        await taken(provider, "second-consumer", ours)
    assert await taken(provider, "consumer", theirs) == THEIRS


async def test_a_new_owner_does_not_mount_other_files_of_the_old_owner(provider: World) -> None:
    secret = await provider.publish_dataset(policy={"algorithms": []})
    sold = await provider.publish_dataset()
    await sell(provider, "owner", sold, "stranger")

    await revise(provider, "stranger", sold, encryptedFiles=list_of(await document(provider, secret)))

    assert await reasons(provider, sold) == ["InputElsewhere"]


async def test_a_list_in_the_old_form_also_stays_with_its_document(provider: World) -> None:
    creator = provider.address("provider")
    sealed = [sealed_before(provider, creator, content) for content in (THEIRS, OURS)]
    theirs, ours = [await result_before(provider, who, text) for who, text in zip(PAIR, sealed, strict=True)]
    for who, did, content in ((PAIR[0], theirs, THEIRS), (PAIR[1], ours, OURS)):
        assert await taken(provider, who, did) == content
        await revise(provider, who, did, additionalInformation={"description": "described by its owner"})
        assert await taken(provider, who, did) == content

    await revise(provider, PAIR[1], ours, encryptedFiles=sealed[0])

    with pytest.raises(InsituError, match="ListNotAllowed"):
        await taken(provider, PAIR[1], ours)


async def test_a_new_owner_cannot_bring_back_a_list_that_was_withdrawn(provider: World) -> None:
    sold = await provider.publish_dataset()
    before, checksum = await document(provider, sold), (await provider.desk.ports.resolver.resolve(sold)).checksum
    await revise(provider, "owner", sold, encryptedFiles=seal(provider, "owner", sold, "newer.csv"))
    assert await reasons(provider, sold) == []
    await sell(provider, "owner", sold, "stranger")
    assert await reasons(provider, sold) == []

    await revise(provider, "stranger", sold, encryptedFiles=list_of(before))
    assert await reasons(provider, sold) == ["ListNotAllowed"]
    # Registering the old version again does not help: the version before counts, not the document.
    await register(provider, "stranger", sold, checksum)
    assert await reasons(provider, sold) == ["ListNotAllowed"]


@pytest.mark.slow
async def test_a_new_owner_keeps_the_list_that_was_handed_over_or_replaces_it_completely(provider: World) -> None:
    sold = await provider.publish_dataset()
    handed_over = list_of(await document(provider, sold))
    await sell(provider, "owner", sold, "stranger")
    for description in ("mine now", "mine still"):
        await revise(provider, "stranger", sold, additionalInformation={"description": description})
        assert await reasons(provider, sold) == []

    await revise(provider, "stranger", sold, encryptedFiles=seal(provider, "stranger", sold, "own.csv"))
    assert await reasons(provider, sold) == []
    await revise(provider, "stranger", sold, encryptedFiles=handed_over)
    assert await reasons(provider, sold) == ["ListNotAllowed"]


async def test_a_list_has_the_rights_of_its_sealer_at_each_opening(provider: World) -> None:
    sold = await provider.publish_dataset()
    await sell(provider, "owner", sold, "stranger")
    await revise(provider, "stranger", sold, encryptedFiles=seal(provider, "stranger", sold, "own.csv"))
    assert await reasons(provider, sold) == []
    trusted = tuple(creator for creator in provider.configuration.creators if creator != provider.address("stranger"))
    object.__setattr__(provider.configuration, "creators", trusted)
    assert await reasons(provider, sold) == ["CreatorNotAllowed"]


async def test_only_the_creator_of_a_future_did_and_the_owner_of_a_did_have_lists_sealed(provider: World) -> None:
    entry = provider._metadata({"type": "dataset", "name": "To come", "files": []})
    did, checksums = identify([entry], provider.address("owner"))
    files: Any = ({"url": "https://93.184.216.34/a.csv", "contentType": "text/csv"},)
    request = EncryptRequest(did=str(did), checksum=checksums, files=files)
    sealed = await client(provider, "owner").encrypt(request)
    assert sealed.encrypted_files.split(".")[2] == provider.address("owner").lower()
    for who, refused in (
        ("stranger", request),
        ("owner", EncryptRequest(did="did:nv:" + "ab" * 32, checksum=checksums, files=files)),
        ("stranger", EncryptRequest(did=await provider.publish_dataset(), files=files)),
    ):
        with pytest.raises(InsituError, match="NotOwner"):
            await client(provider, who).encrypt(refused)
    with pytest.raises(InsituError, match="AssetNotFound"):
        await client(provider, "owner").encrypt(EncryptRequest(did=str(did), files=files))


async def test_a_plan_reads_what_was_proved_for_it_and_asks_for_the_rights_again(provider: World) -> None:
    algorithm = await provider.publish_algorithm()
    agreement = await provider.buy(
        await provider.simple_workflow(await provider.publish_dataset(), algorithm=algorithm)
    )
    started = await provider.exec(agreement)
    execution = await provider.execution(started.workflow_execution_id)
    ((reference, source),) = execution.dossier.fetches.items()
    assert (source.did, source.sealer) == (algorithm, provider.address("consumer"))

    await revise(provider, "consumer", algorithm, encryptedFiles=seal(provider, "consumer", algorithm, "other.csv"))
    chunks = await provider.desk.agents.of(FileServer).fetch(execution, reference)
    assert b"".join([chunk async for chunk in chunks]) == SCRIPT
    # Where the plan does not know the block, the registrations lead to it; the version is proved by itself.
    older = source.model_copy(update={"sealer": None, "block": 0})
    assert b"".join([chunk async for chunk in await provider.desk.agents.of(FileServer)._open(older)]) == SCRIPT


async def test_a_public_list_names_the_web_only_wherever_it_comes_from(
    provider: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = provider.folder / "secret.csv"
    listed = [{"index": 0, "url": path.as_uri(), "contentType": "text/csv"}]
    entry = provider._metadata({"type": "dataset", "name": "Plain", "files": listed})
    with pytest.raises(InsituError, match="InvalidDocument"):
        await provider.publish("owner", [entry])
    # As a catalogue that validates nothing would have it.
    monkeypatch.setattr("insitu.metadata.service.validate_ddo", lambda ddo, **options: None)
    did = await provider.publish("owner", [entry])
    asset = await provider.desk.ports.resolver.resolve(did)
    listing = await provider.desk.list_reader.open(asset)
    with pytest.raises(InsituError, match="InvalidDocument"):
        await provider.desk.source_opener.check(listing.files[0], listing.sealer)


@pytest.mark.slow
async def test_each_version_is_read_once(provider: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    registrations, documents = provider.chain.registrations, provider.metadata.read

    async def counted(did: str) -> AsyncIterator[DidRegistered]:
        async for event in registrations(did):
            read.append(event.version)
            yield event

    monkeypatch.setattr(provider.chain, "registrations", counted)
    sold = await provider.publish_dataset()
    for _ in range(2):
        assert await reasons(provider, sold) == []
    await sell(provider, "owner", sold, "stranger")
    assert await reasons(provider, sold) == []
    assert read == []  # the sealer registered the current version, so nothing is asked
    for description in ("one", "two", "three"):
        await revise(provider, "stranger", sold, additionalInformation={"description": description})
    assert await reasons(provider, sold) == []
    assert read[-4:] == [4, 3, 2, 1]
    asked: list[str] = []

    async def fetched(url: str, checksum: str | None = None) -> JsonObject:
        asked.append(url)
        return await documents(url, checksum)

    monkeypatch.setattr(provider.metadata, "read", fetched)
    workflow = await provider.simple_workflow(sold)
    asked.clear()
    await provider.quote(workflow, "stranger")
    assert [url for url in asked if sold in url] == []


async def test_a_version_undone_by_a_reorganisation_proves_nothing(provider: World) -> None:
    sold = await provider.publish_dataset()
    snapshot = await provider.chain.rpc("evm_snapshot")
    await revise(provider, "owner", sold, encryptedFiles=seal(provider, "owner", sold, "newer.csv"))
    await sell(provider, "owner", sold, "stranger")
    checksum = await revise(provider, "stranger", sold, additionalInformation={"description": "mine now"})
    before = await provider.desk.ports.resolver.resolve(sold)
    await provider.desk.list_reader.open(before)

    await provider.chain.rpc("evm_revert", snapshot)
    await revise(provider, "owner", sold, encryptedFiles=seal(provider, "owner", sold, "other.csv"))
    await sell(provider, "owner", sold, "stranger")
    await register(provider, "stranger", sold, checksum)

    after = await provider.desk.ports.resolver.resolve(sold)
    assert (after.record, after.ddo) == (before.record, before.ddo)
    with pytest.raises(InsituError, match="ListNotAllowed"):
        await provider.desk.list_reader.open(after)


@pytest.mark.slow
async def test_a_result_that_its_owner_described_and_retired_is_still_theirs(provider: World) -> None:
    did = await result(provider, "consumer", THEIRS)
    await revise(provider, "consumer", did, additionalInformation={"description": "flights, counted"})
    assert await taken(provider, "consumer", did) == THEIRS
    consumer = provider.people["consumer"]
    http = Http(transport=httpx.ASGITransport(metadata_app(provider)))
    await MetadataClient(http, PUBLIC_URL).retire(did, consumer, provider.chain)
    # Another gateway of the same provider that has proved nothing yet.
    again = GatewayDesk(replace(provider.desk.ports), derived_keyring(bytes(32)))
    download = await again.agents.of(FileServer).download(provider.caller("consumer", "download"), did, 0)
    assert b"".join([chunk async for chunk in download.chunks]) == THEIRS
