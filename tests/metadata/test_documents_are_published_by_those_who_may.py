"""Who may publish, update and retire what, and when it appears (P2)."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.errors import MEDIA_TYPE
from insitu.api.metadata_v1 import ASSETS, DDO, PUBLICATIONS, QUERY
from insitu.domain.assembly import revise_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.ledger import transfer_ownership
from insitu.domain.registry_requests import RegistrationBatch, RegistrationItem, registry_domain
from insitu.domain.timestamps import format_time
from insitu.metadata import service
from insitu.ports.chain import Block
from insitu.ports.keys import Signer
from tests.doubles.chain import ChainControls
from tests.doubles.clock import ControlledClock
from tests.doubles.safe import deploy_safe
from tests.metadata.conftest import Catalogue
from tests.metadata.documents import (
    METADATA,
    dataset,
    described,
    eventually,
    question,
    register,
    register_version,
    retirement,
    signed,
)

pytestmark = pytest.mark.needs("chain")

ALICE, BOB, MALLORY = dev_signer("owner"), dev_signer("second-owner"), dev_signer("stranger")
GATEWAY = dev_signer("provider")


def refused(answer: httpx.Response, status: int, code: str) -> JsonObject:
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem["detail"]
    return problem


async def listed(http: httpx.AsyncClient, did: str, checksum: str | None = None) -> JsonObject:
    params = {"wait": 20} | ({"checksum": checksum} if checksum else {})
    status = (await http.get(f"{DDO}/{did}/status", params=params)).json()
    assert status["state"] == "listed"
    return status


async def publish(http: httpx.AsyncClient, chain: EmbeddedChain, name: str = "", **members: Any) -> Any:
    unsigned = dataset(chain, ALICE, name, **members)
    assert (await http.post(DDO, json=signed(unsigned, ALICE))).status_code == 201
    await register(chain, unsigned, ALICE)
    await listed(http, str(unsigned.did))
    return unsigned


def revision(unsigned: Any, description: str, signer: Signer) -> Any:
    document = read_ddo(signed(unsigned, ALICE))
    services = [service.to_json() for service in document.service]
    services[0]["attributes"]["additionalInformation"] = {"description": description}
    return revise_ddo(document, services, signer.address, format_time(datetime.now(UTC)))


async def test_a_document_is_pending_until_its_registration_is_seen(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    unsigned = dataset(chain, ALICE)
    document, did = signed(unsigned, ALICE), str(unsigned.did)
    answer = await http.post(DDO, json=document)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{DDO}/{did}"
    assert (answer.json()["state"], answer.json()["owner"]) == ("pending", None)
    refused(await http.get(f"{DDO}/{did}"), 404, "AssetNotFound")

    mined = await register(chain, unsigned, ALICE)

    status = await listed(http, did)
    assert (status["owner"], status["version"], status["checksum"]) == (ALICE.address, 1, unsigned.checksum)
    resolved = await http.get(f"{DDO}/{did}")
    assert resolved.json() == document
    assert resolved.headers["etag"] == f'"{unsigned.checksum}"'
    assert resolved.headers["cache-control"] == "public, no-cache", "another version may become the current one"
    known = await http.get(f"{DDO}/{did}", headers={"If-None-Match": resolved.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    version = await http.get(f"{DDO}/{did}", params={"checksum": unsigned.checksum})
    assert "immutable" in version.headers["cache-control"]
    assert (await http.get("/api/v1/metadata/health")).json()["block"] >= mined.block.number


async def test_a_store_that_fails_for_a_while_ends_nothing(
    catalogue: Catalogue, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied, failures = SqliteCatalog.apply, iter(range(3))

    async def failing(self: SqliteCatalog, blocks: Sequence[Block], now: datetime) -> frozenset[str]:
        if next(failures, None) is not None:
            raise InsituError("DatabaseUnavailable", "the server restarts")
        return await applied(self, blocks, now)

    monkeypatch.setattr(SqliteCatalog, "apply", failing)
    await publish(catalogue.http, chain)
    assert next(failures, None) is None


async def test_the_same_document_again_is_harmless(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = await publish(http, chain)
    assert (await http.post(DDO, json=signed(unsigned, ALICE))).json()["state"] == "listed"
    found = await http.post(QUERY, json={"text": str(unsigned.did)})
    assert found.json()["totalResults"] == 1


async def test_a_key_names_the_first_of_equal_publications(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    first, second = dataset(chain, ALICE, "One"), dataset(chain, ALICE, "Two")
    headers = {"Idempotency-Key": "key-of-alice"}
    for one in (first, second):
        answer = await http.post(DDO, json=signed(one, ALICE), headers=headers)
        assert answer.json()["did"] == str(first.did)
    assert (await http.post(PUBLICATIONS, json=question(chain, ALICE.address, "key-of-alice"))).json()["did"] == str(
        first.did
    )
    refused(await http.post(PUBLICATIONS, json=question(chain, BOB.address, "key-of-alice")), 404, "AssetNotFound")
    refused(await http.post(DDO, json=signed(second, ALICE), headers={"Idempotency-Key": "a b"}), 400, "InvalidRequest")


async def test_only_gateways_look_keys_up_and_only_for_a_while(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    headers = {"Idempotency-Key": "guessed"}
    await http.post(DDO, json=signed(dataset(chain, ALICE), ALICE), headers=headers)
    for signer in (MALLORY, ALICE):
        asked = question(chain, ALICE.address, "guessed", signer)
        refused(await http.post(PUBLICATIONS, json=asked), 401, "SignatureMismatch")
    for age in (timedelta(minutes=11), -timedelta(minutes=11)):
        asked = question(chain, ALICE.address, "guessed", age=age)
        refused(await http.post(PUBLICATIONS, json=asked), 401, "SignatureMismatch")
    changed = question(chain, ALICE.address, "another") | {"key": "guessed"}
    refused(await http.post(PUBLICATIONS, json=changed), 401, "SignatureMismatch")
    assert (await http.get(f"{ASSETS}/publications/{ALICE.address}/guessed")).status_code == 404


async def test_nobody_ties_a_copy_of_a_document_to_a_guessed_key(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    """Otherwise a stranger learns what Alice published, or makes her next publication another asset."""
    pending, mine = dataset(chain, ALICE), dataset(chain, ALICE)
    listed_one = await publish(http, chain)
    await http.post(DDO, json=signed(pending, ALICE))
    await http.post(DDO, json=signed(mine, ALICE), headers={"Idempotency-Key": "guessed"})
    for copied in (pending, listed_one):
        for key in ("guessed", "next"):
            answer = await http.post(DDO, json=signed(copied, ALICE), headers={"Idempotency-Key": key})
            assert answer.json()["did"] == str(copied.did)
    assert (await http.post(PUBLICATIONS, json=question(chain, ALICE.address, "guessed"))).json()["did"] == str(
        mine.did
    )
    refused(await http.post(PUBLICATIONS, json=question(chain, ALICE.address, "next")), 404, "AssetNotFound")


async def test_only_the_creator_publishes_a_new_document(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = dataset(chain, ALICE)
    problem = refused(await http.post(DDO, json=signed(unsigned, MALLORY)), 401, "SignatureMismatch")
    assert ALICE.address in problem["detail"]


async def test_a_document_that_was_changed_after_signing_is_refused(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    document = signed(dataset(chain, ALICE), ALICE)
    document["service"][0]["attributes"]["main"]["name"] = "Something else"
    problem = refused(await http.post(DDO, json=document), 409, "ChecksumMismatch")
    assert problem["pointer"] == "/proof/checksum/0"
    document = signed(dataset(chain, ALICE), ALICE)
    document["service"][1]["serviceEndpoint"] = "https://mallory.example/api/v1/gateway/services/exec"
    refused(await http.post(DDO, json=document), 401, "SignatureMismatch")


async def test_a_document_that_breaks_rules_is_refused_with_pointers(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    document = signed(dataset(chain, ALICE), ALICE)
    document["service"][0]["attributes"]["main"]["price"] = "-1"
    document["service"][1]["attributes"]["main"]["timeout"] = 0
    document["id"] = "did:nv:1"
    problem = refused(await http.post(DDO, json=document), 422, "InvalidDocument")
    pointers = {one["pointer"] for one in problem["problems"]}
    assert pointers >= {"/id", "/service/1/attributes/main/timeout", "/service/0/attributes/main/price"}


async def test_a_data_set_without_a_compute_service_is_refused_unless_it_is_meant(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    main = {"name": "Mute", "type": "dataset", "author": "", "files": []}
    document = signed(described(chain, ALICE, main, []), ALICE)
    refused(await http.post(DDO, json=document), 422, "NoComputeService")
    assert (await http.post(DDO, json=document, params={"withoutCompute": "true"})).status_code == 201


async def test_an_update_needs_the_owner_and_is_seen_when_the_chain_names_it(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    first = await publish(http, chain)
    url = f"{DDO}/{first.did}"
    forged = revision(first, "forged", MALLORY)
    refused(await http.put(url, json=signed(forged, MALLORY)), 403, "NotOwner")
    refused(await http.post(DDO, json=signed(forged, MALLORY)), 403, "NotOwner")

    second = revision(first, "better", ALICE)
    answer = await http.put(url, json=signed(second, ALICE))
    assert (answer.json()["state"], answer.json()["checksum"]) == ("listed", first.checksum)
    assert (await http.get(url)).json() == signed(first, ALICE)

    await register_version(chain, second, ALICE)

    assert (await listed(http, str(first.did), second.checksum))["version"] == 2
    assert (await http.get(url)).json() == signed(second, ALICE)
    old = await http.get(url, params={"checksum": "0x" + first.checksum.upper()})
    assert old.json() == signed(first, ALICE)
    assert "immutable" in old.headers["cache-control"]
    assert (await http.post(QUERY, json={"text": "better"})).json()["totalResults"] == 1


async def test_an_update_for_another_did_or_of_nothing_is_refused(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    unsigned = dataset(chain, ALICE, "Unregistered")
    url = f"{DDO}/{unsigned.did}"
    refused(await http.put(url, json=signed(unsigned, ALICE)), 404, "AssetNotFound")
    other = dataset(chain, ALICE, "Other")
    refused(await http.put(url, json=signed(other, ALICE)), 422, "InvalidDocument")


async def test_ownership_follows_the_chain(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    first = await publish(http, chain, "Handed over")
    await chain.transact(transfer_ownership(bytes(first.did), BOB.address), ALICE)
    url = f"{DDO}/{first.did}"

    async def is_bobs() -> bool:
        return (await http.get(url + "/status")).json()["owner"] == BOB.address

    await eventually(is_bobs)
    by_old, by_new = revision(first, "old owner", ALICE), revision(first, "new owner", BOB)
    refused(await http.put(url, json=signed(by_old, ALICE)), 403, "NotOwner")
    assert (await http.put(url, json=signed(by_new, BOB))).status_code == 200
    await register_version(chain, by_new, BOB)
    await listed(http, str(first.did), by_new.checksum)
    assert (await http.post(QUERY, json={"owner": BOB.address, "text": "new owner"})).json()["totalResults"] == 1


async def test_only_the_owner_retires_and_the_document_stays_readable(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    unsigned = await publish(http, chain, "Retired soon")
    did, url = str(unsigned.did), f"{DDO}/{unsigned.did}"
    refused(await http.request("DELETE", url, json=retirement(chain, did, MALLORY)), 403, "NotOwner")
    stale = retirement(chain, did, ALICE, age=timedelta(minutes=11))
    refused(await http.request("DELETE", url, json=stale), 401, "SignatureMismatch")

    answer = await http.request("DELETE", url, json=retirement(chain, did, ALICE))

    assert answer.json()["state"] == "retired"
    assert (await http.post(QUERY, json={"text": "retired"})).json()["totalResults"] == 0
    assert did not in (await http.get("/api/v1/metadata/assets")).json()["ids"]
    assert (await http.get(url)).json() == signed(unsigned, ALICE)


async def test_a_document_may_come_after_its_registration(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = dataset(chain, ALICE, "Late")
    await register(chain, unsigned, ALICE)
    await http.post(DDO, json=signed(unsigned, ALICE))
    await listed(http, str(unsigned.did))


async def test_nobody_can_put_another_document_under_a_registered_did(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    """The creator has handed it over, so their signature is no longer the owner's."""
    first = await publish(http, chain, "Sold")
    await chain.transact(transfer_ownership(bytes(first.did), BOB.address), ALICE)
    refused(await http.post(DDO, json=signed(revision(first, "mine still", ALICE), ALICE)), 403, "NotOwner")
    assert (await http.post(DDO, json=signed(first, ALICE))).status_code == 201


async def test_a_registered_document_needs_no_signature(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = dataset(chain, ALICE)
    document = signed(unsigned, ALICE)
    del document["proof"]["signatureValue"]
    refused(await http.post(DDO, json=document), 401, "SignatureMismatch")
    await register(chain, unsigned, ALICE)
    assert (await http.post(DDO, json=document)).status_code == 201
    await listed(http, str(unsigned.did))
    # An earlier version neither: the ledger has it.
    later = revision(unsigned, "later", ALICE)
    await register_version(chain, later, ALICE)
    bare = later.signed(bytes(65)).to_json()
    assert (await http.put(f"{DDO}/{unsigned.did}", json=bare)).status_code == 200
    await listed(http, str(unsigned.did), later.checksum)
    assert (await http.post(DDO, json=document)).status_code == 201


async def test_a_version_changes_prices_and_files_but_no_service(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    first = await publish(http, chain, "Dear", price=10)
    document = read_ddo(signed(first, ALICE))
    url = f"{DDO}/{first.did}"

    def revised(edit: Callable[[list[JsonObject]], None]) -> Any:
        services = [service.to_json() for service in document.service]
        edit(services)
        return revise_ddo(document, services, ALICE.address, format_time(datetime.now(UTC)))

    def add(services: list[JsonObject]) -> None:
        services.append({**services[1], "index": 9})

    def retype(services: list[JsonObject]) -> None:
        services[0]["attributes"]["main"]["type"] = "other"

    def cheapen(services: list[JsonObject]) -> None:
        services[1]["attributes"]["main"]["price"] = "3"
        services[0]["attributes"]["main"]["files"] *= 1
        services[0]["attributes"]["main"]["name"] = "Cheap"

    for edit, pointer in ((add, "/service"), (retype, "/service/0/attributes/main/type")):
        problem = refused(await http.put(url, json=signed(revised(edit), ALICE)), 409, "VersionNotAllowed")
        assert problem["pointer"] == pointer
    cheap = revised(cheapen)
    assert (await http.put(url, json=signed(cheap, ALICE))).status_code == 200
    await register_version(chain, cheap, ALICE)
    await listed(http, str(first.did), cheap.checksum)
    found = (await http.post(QUERY, json={"text": "Cheap", "priceMax": "3"})).json()["results"]
    assert [result["id"] for result in found] == [str(first.did)]
    origin = found[0]["proof"]["origin"]["checksum"]
    assert origin == signed(first, ALICE)["proof"]["checksum"] != found[0]["proof"]["checksum"]

    # Version 1 of another asset cannot claim an origin.
    claimed = signed(dataset(chain, ALICE), ALICE)
    claimed["proof"]["origin"] = {"checksum": {"0": "11" * 32, "4": "22" * 32}}
    refused(await http.post(DDO, json=claimed), 409, "ChecksumMismatch")


async def test_what_never_appears_on_chain_is_dropped_after_its_time(
    make_catalogue: Callable[..., Any], chain: EmbeddedChain
) -> None:
    clock = ControlledClock()
    catalogue = make_catalogue(clock=clock, pending_lifetime=600)
    await catalogue.start()
    unsigned = dataset(chain, ALICE, "Forgotten")
    await catalogue.http.post(DDO, json=signed(unsigned, ALICE))
    url = f"{DDO}/{unsigned.did}/status"
    clock.advance(500)
    assert (await catalogue.http.get(url)).json()["state"] == "pending"
    clock.advance(200)

    async def is_gone() -> bool:
        clock.advance(60)
        return (await catalogue.http.get(url)).status_code == 404

    await eventually(is_gone)


async def test_a_restart_goes_on_where_it_stopped(make_catalogue: Callable[..., Any], chain: EmbeddedChain) -> None:
    catalogue = make_catalogue()
    await catalogue.start()
    before = await publish(catalogue.http, chain, "Before")
    during = dataset(chain, ALICE, "During")
    await catalogue.http.post(DDO, json=signed(during, ALICE))
    await catalogue.stop()
    await register(chain, during, ALICE)
    await catalogue.restart()
    for unsigned in (before, during):
        await listed(catalogue.http, str(unsigned.did))


async def test_a_reorganisation_takes_a_listing_back(catalogue: Any, chain: EmbeddedChain) -> None:
    http, controls = catalogue.http, ChainControls(chain)
    stays = await publish(http, chain, "Stays")
    await controls.mine(3)
    goes = await publish(http, chain, "Goes")
    await controls.reorganise(1)
    await controls.mine(2)

    async def is_pending() -> bool:
        return (await http.get(f"{DDO}/{goes.did}/status")).json()["state"] == "pending"

    await eventually(is_pending)
    await listed(http, str(stays.did))
    await register(chain, goes, ALICE)
    await listed(http, str(goes.did))


async def test_many_long_documents_at_once_leave_threads_and_answers_to_others(
    catalogue: Catalogue, chain: EmbeddedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await publish(catalogue.http, chain)
    judging, judged, original = threading.Semaphore(0), threading.Event(), service._check

    def slowly(document: object, without_compute: bool) -> Any:
        judging.release()
        judged.wait(timeout=60)
        return original(document, without_compute)

    monkeypatch.setattr(service, "_check", slowly)
    flood = [signed(dataset(chain, ALICE), ALICE) for _ in range(50)]
    async with anyio.create_task_group() as tasks:
        for document in flood:
            tasks.start_soon(partial(catalogue.http.post, DDO, json=document))
        with anyio.fail_after(30):
            await anyio.to_thread.run_sync(judging.acquire, limiter=anyio.CapacityLimiter(1))
            assert await anyio.to_thread.run_sync(len, flood) == len(flood)
            assert (await catalogue.http.get("/healthz")).status_code == 200
            assert (await catalogue.http.get(f"{DDO}/{known.did}/status")).json()["state"] == "listed"
            assert (await catalogue.http.post(QUERY, json={"text": str(known.did)})).json()["totalResults"] == 1
        assert not judged.is_set()
        judged.set()
    answers = [(await catalogue.http.get(f"{DDO}/{document['id']}/status")).status_code for document in flood]
    assert answers == [200] * len(flood)


async def test_a_contract_account_publishes_updates_and_retires(catalogue: Catalogue, chain: EmbeddedChain) -> None:
    safe = await deploy_safe(chain.url, (dev_signer("spare"), dev_signer("second-spare")))
    first = dataset(chain, safe)
    document = first.signed(safe.sign_digest(first.digest)).to_json()
    forged = first.signed(safe.owners[0].sign_digest(first.digest)).to_json()
    refused(await catalogue.http.post(DDO, json=forged), 401, "SignatureMismatch")
    assert (await catalogue.http.post(DDO, json=document)).status_code == 201
    item = RegistrationItem(first.seed, bytes.fromhex(first.checksum), (), METADATA)
    batch = RegistrationBatch(safe.address, [item], await chain.time() + 600)
    domain = registry_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))
    await chain.transact(batch.call(safe.sign_digest(batch.digest(domain))), dev_signer("stranger"))
    url = f"{DDO}/{first.did}"
    await listed(catalogue.http, str(first.did))
    second = revision(first, "Flights, corrected", safe)
    mine = second.signed(safe.sign_digest(second.digest)).to_json()
    assert (await catalogue.http.put(url, json=mine)).status_code == 200
    refused(
        await catalogue.http.request("DELETE", url, json=retirement(chain, str(first.did), MALLORY)), 403, "NotOwner"
    )
    answer = await catalogue.http.request("DELETE", url, json=retirement(chain, str(first.did), safe))
    assert answer.json()["state"] == "retired"


async def test_what_a_publisher_claims_as_ratings_and_listing_is_ignored(
    http: httpx.AsyncClient, chain: EmbeddedChain
) -> None:
    """No signature covers curation, so anyone who passes a document on could write it."""
    unsigned = dataset(chain, ALICE, "Praised")
    document = signed(unsigned, ALICE)
    praised = {**document, "curation": {"rating": 5, "isListed": True}}
    praised["service"] = [
        {**entry, "attributes": {**entry["attributes"], "curation": {"rating": 5, "numVotes": 999, "isListed": True}}}
        for entry in document["service"]
    ]
    assert (await http.post(DDO, json=praised)).status_code == 201
    await register(chain, unsigned, ALICE)
    await listed(http, str(unsigned.did))
    assert (await http.get(f"{DDO}/{unsigned.did}")).json() == document
