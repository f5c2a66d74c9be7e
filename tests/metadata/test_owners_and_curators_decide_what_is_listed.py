"""What strangers find is decided by the owner's signature and by curators, never by whoever posts a document."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.metadata_v1 import ASSETS, CURATED, DDO, QUERY
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import catalogue_digest, catalogues_domain
from insitu.domain.did import Did
from insitu.domain.ledger import transfer_ownership
from insitu.ports.keys import Signer
from tests.doubles.clock import ControlledClock
from tests.doubles.safe import deploy_safe
from tests.metadata.conftest import Catalogue
from tests.metadata.documents import CATALOGUE, dataset, described, eventually, register, signed
from tests.metadata.test_documents_are_published_by_those_who_may import publish, refused

pytestmark = pytest.mark.needs("chain")

ALICE, BOB, MALLORY, CURATOR = (dev_signer(name) for name in ("owner", "second-owner", "stranger", "spare"))
FILE = {"index": 0, "contentType": "text/x-python", "checksum": "ab" * 32, "checksumType": "sha256"}
SCRIPT = {"type": "algorithm", "algorithm": {"language": "python", "entrypoint": "python3 a.py"}}


@pytest.fixture
async def clock() -> ControlledClock:
    return ControlledClock(datetime.now(UTC))


@pytest.fixture
async def http(make_catalogue: Callable[..., Catalogue], clock: ControlledClock) -> httpx.AsyncClient:
    made = make_catalogue(curators=(CURATOR.address,), clock=clock)
    await made.start()
    return made.http


class Requests:
    """Signs requests for this catalogue and time, or for others."""

    def __init__(self, chain: EmbeddedChain, clock: ControlledClock) -> None:
        self._domain = catalogues_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))
        self._clock = clock

    def list(self, did: str, signer: Signer, action: str = "list", **where: Any) -> JsonObject:
        return self._sign("ListingRequest", did, signer, {"action": action}, **where)

    def hide(self, did: str, signer: Signer, reason: str, action: str = "hide", **where: Any) -> JsonObject:
        signed = self._sign("CurationRequest", did, signer, {"action": action, "reason": reason}, **where)
        return {**signed, "account": signer.address}

    def _sign(
        self, kind: str, did: str, signer: Signer, given: JsonObject, *, at: str = CATALOGUE, ahead: int = 300
    ) -> JsonObject:
        asked = {**given, "catalogue": at, "deadline": int(self._clock.now().timestamp()) + ahead}
        digest = catalogue_digest(kind, {**asked, "did": "0x" + bytes(Did.parse(did)).hex()}, self._domain)
        return {**asked, "signature": "0x" + signer.sign_digest(digest).hex()}


@pytest.fixture
def requests(chain: EmbeddedChain, clock: ControlledClock) -> Requests:
    return Requests(chain, clock)


async def found(http: httpx.AsyncClient, text: str, **more: str) -> int:
    return (await http.post(QUERY, json={"text": text, **more})).json()["totalResults"]


async def publish_script(http: httpx.AsyncClient, chain: EmbeddedChain, name: str) -> str:
    unsigned = described(
        chain, ALICE, {"main": {"name": name, "author": "", "license": "", "files": [FILE], **SCRIPT}}, []
    )
    posted = await http.post(DDO, json=signed(unsigned, ALICE))
    assert posted.status_code == 201, posted.text
    await register(chain, unsigned, ALICE)
    assert (await http.get(f"{DDO}/{unsigned.did}/status", params={"wait": 20})).json()["state"] == "unlisted"
    return str(unsigned.did)


async def test_an_algorithm_is_unlisted_until_its_owner_lists_it(
    http: httpx.AsyncClient, chain: EmbeddedChain, requests: Requests
) -> None:
    did = await publish_script(http, chain, "Countwords")
    assert await found(http, "countwords") == 0
    page = (await http.post(QUERY, json={"text": "countwords", "owner": ALICE.address})).json()
    assert (page["totalResults"], page["unlisted"]) == (1, [did])
    assert (await http.get(f"{DDO}/{did}")).status_code == 200

    listed = requests.list(did, ALICE)
    answer = await http.put(f"{DDO}/{did}/listing", json=listed)
    assert (answer.status_code, answer.json()["state"]) == (200, "listed")
    assert await found(http, "countwords") == 1
    unlisted = requests.list(did, ALICE, "unlist", ahead=301)
    assert (await http.put(f"{DDO}/{did}/listing", json=unlisted)).json()["state"] == "unlisted"
    assert did not in (await http.get(ASSETS)).json()["ids"]
    refused(await http.put(f"{DDO}/{did}/listing", json=listed), 409, "DeadlinePassed")


async def test_nobody_but_the_present_owner_lists_and_only_for_this_catalogue_and_time(
    http: httpx.AsyncClient, chain: EmbeddedChain, requests: Requests, clock: ControlledClock
) -> None:
    did = await publish_script(http, chain, "Wanted")
    url = f"{DDO}/{did}/listing"
    good = requests.list(did, ALICE)
    refused(await http.put(url, json=requests.list(did, MALLORY)), 403, "NotOwner")
    refused(await http.put(url, json=good | {"action": "unlist"}), 403, "NotOwner")
    refused(await http.put(url, json=good | {"deadline": good["deadline"] + 1}), 403, "NotOwner")
    elsewhere = requests.list(did, ALICE, at="http://other.test")
    refused(await http.put(url, json=elsewhere), 401, "SignatureMismatch")
    refused(await http.put(url, json=elsewhere | {"catalogue": CATALOGUE}), 403, "NotOwner")
    late = requests.list(did, ALICE, ahead=601)
    refused(await http.put(url, json=late), 401, "SignatureMismatch")
    unknown = requests.list("did:nv:" + "9" * 64, ALICE)
    refused(await http.put(f"{DDO}/did:nv:{'9' * 64}/listing", json=unknown), 404, "AssetNotFound")
    clock.advance(301)
    refused(await http.put(url, json=good), 401, "SignatureMismatch")
    await chain.transact(transfer_ownership(bytes(Did.parse(did)), BOB.address), ALICE)
    mine = requests.list(did, ALICE)
    refused(await http.put(url, json=mine), 403, "NotOwner")
    theirs = requests.list(did, BOB)
    assert (await http.put(url, json=theirs)).status_code == 200
    assert await found(http, "wanted") == 1


async def test_a_contract_account_lists_what_it_owns(
    http: httpx.AsyncClient, chain: EmbeddedChain, requests: Requests
) -> None:
    safe = await deploy_safe(chain.url, (dev_signer("spare"), dev_signer("second-spare")))
    unsigned = await publish(http, chain, "Of a safe")
    did = str(unsigned.did)
    await chain.transact(transfer_ownership(bytes(Did.parse(did)), safe.address), ALICE)
    one = requests.list(did, safe.owners[0], "unlist")
    refused(await http.put(f"{DDO}/{did}/listing", json=one), 403, "NotOwner")
    both = requests.list(did, safe, "unlist")
    assert (await http.put(f"{DDO}/{did}/listing", json=both)).json()["state"] == "unlisted"
    assert await found(http, "safe") == 0


async def test_a_curator_hides_with_a_reason_that_everybody_sees_whatever_the_owner_asks(
    http: httpx.AsyncClient, chain: EmbeddedChain, requests: Requests
) -> None:
    unsigned = await publish(http, chain, "Leaky records")
    did, url = str(unsigned.did), f"{DDO}/{unsigned.did}"
    hide = requests.hide(did, CURATOR, "names of patients")
    answer = await http.put(f"{url}/curation", json=hide)
    assert (answer.json()["state"], answer.json()["reason"]) == ("hidden", "names of patients")
    wish = requests.list(did, ALICE)
    assert (await http.put(f"{url}/listing", json=wish)).json()["state"] == "hidden"
    assert await found(http, "leaky") == 0
    assert await found(http, "leaky", owner=ALICE.address) == 0
    assert (await http.get(f"{url}/status")).json()["reason"] == "names of patients"
    assert (await http.get(url)).status_code == 200, "it can still be used"

    refused(await http.put(f"{url}/curation", json=requests.hide(did, MALLORY, "mine", "feature")), 403, "NotCurator")
    # What was signed to hide an asset does not feature it.
    refused(await http.put(f"{url}/curation", json=hide | {"action": "feature"}), 403, "NotCurator")
    listed = (await http.get(CURATED, params={"what": "hidden"})).json()
    assert [(asset["did"], asset["reason"], asset["curator"]) for asset in listed["results"]] == (
        [(did, "names of patients", CURATOR.address)]
    )
    assert (listed["curators"], listed["results"][0]["document"]) == ([CURATOR.address], None)
    show = requests.hide(did, CURATOR, "", "unhide", ahead=301)
    assert (await http.put(f"{url}/curation", json=show)).json()["state"] == "listed"
    refused(await http.put(f"{url}/curation", json=hide), 409, "DeadlinePassed")
    assert await found(http, "leaky") == 1


async def test_only_accounts_that_the_settings_name_hide_and_never_without_a_reason(
    http: httpx.AsyncClient, chain: EmbeddedChain, requests: Requests
) -> None:
    unsigned = await publish(http, chain, "Rival's records")
    did, url = str(unsigned.did), f"{DDO}/{unsigned.did}/curation"
    for stranger in (MALLORY, ALICE):
        theirs = requests.hide(did, stranger, "bad")
        refused(await http.put(url, json=theirs), 403, "NotCurator")
        refused(await http.put(url, json=theirs | {"account": CURATOR.address}), 403, "NotCurator")
    elsewhere = requests.hide(did, CURATOR, "bad", at="http://other.test")
    refused(await http.put(url, json=elsewhere), 401, "SignatureMismatch")
    refused(await http.put(url, json=elsewhere | {"catalogue": CATALOGUE}), 403, "NotCurator")
    good = requests.hide(did, CURATOR, "bad")
    refused(await http.put(url, json=good | {"reason": "worse"}), 403, "NotCurator")
    for reason in ("", " ", "two\nlines", "nul\0", "long" * 200):
        bad = requests.hide(did, CURATOR, reason)
        refused(await http.put(url, json=bad), 400, "InvalidRequest")
    assert await found(http, "rival") == 1


async def test_a_result_is_unlisted_although_it_is_a_data_set(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    unsigned = dataset(chain, ALICE, "Outcome", compute={"workflowExecutionId": "wx" + "1" * 26})
    assert (await http.post(DDO, json=signed(unsigned, ALICE))).status_code == 201
    await register(chain, unsigned, ALICE)

    async def is_seen() -> bool:
        return (await http.get(f"{DDO}/{unsigned.did}/status")).json()["state"] == "unlisted"

    await eventually(is_seen)
    assert await found(http, "outcome") == 0
