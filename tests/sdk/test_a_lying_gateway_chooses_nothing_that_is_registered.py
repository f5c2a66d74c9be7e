"""Gateway and catalogue say where an earlier document is. The account signs its own description all the same."""

import json

import httpx
import pytest

from insitu.api.errors import Problem
from insitu.domain.assembly import assemble_ddo
from insitu.domain.canonical import JsonObject
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.integrity import onchain_checksum
from insitu.sdk.client import Client
from tests.gateway.world import json_of
from tests.sdk.market import Detour, Market
from tests.sdk.test_publishing_is_one_call_that_can_be_repeated import SCRIPT, KilledError

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

DESCRIBED = {"name": "Ours", "type": "dataset", "author": "", "files": []}
ELSEWHERE = "https://elsewhere.example/api/v1/metadata/assets/ddo/{did}"


async def register(client: Client) -> JsonObject:
    asset = await client.assets.register_asset({"main": DESCRIBED}, without_compute=True)
    record = await client.chain.did_record(asset.did)
    assert record is not None
    assert record.checksum.removeprefix("0x") == asset.checksum
    return asset.ddo.to_json()


def lie(detour: Detour, document: JsonObject) -> None:
    """Let gateway and catalogue call this document the earlier one, until another is posted."""
    did, checksum = document["id"], onchain_checksum(read_ddo(document))
    status = {"did": did, "state": "pending", "checksum": checksum, "updatedAt": "2026-01-02T03:04:05Z"}
    lies: dict[str, JsonObject] = {"/publications/": status, f"/ddo/{did}": document}

    def answered(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("/ddo"):
            lies.clear()
        changed = next((lies[part] for part in lies if part in request.url.path), None)
        return response if changed is None else httpx.Response(200, json=changed, request=request)

    detour.answered = answered


async def pending(provider: Market) -> JsonObject:
    """The document that the owner signed in a call that was killed before the registration."""
    owner, detour = await provider.client("owner")

    async def killed(*_: object) -> None:
        raise KilledError

    owner.gateway.relay_request = killed  # type: ignore[method-assign,assignment]
    with pytest.raises(KilledError):
        await register(owner)
    found: JsonObject = next(
        json.loads(request.content)
        for request in detour.seen
        if (request.method, request.url.path[-4:]) == ("POST", "/ddo")
    )
    return found


async def test_a_document_of_another_description_is_not_registered_in_our_name(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    main = DESCRIBED | {"name": "Theirs", "license": "CC0", "price": "0"}
    main |= dict.fromkeys(("dateCreated", "datePublished"), "2026-01-02T03:04:05Z")
    service = {"index": 0, "type": "metadata", "serviceEndpoint": ELSEWHERE, "attributes": {"main": main}}
    theirs = assemble_ddo([service], owner.account, "2026-01-02T03:04:05Z").signed(bytes(65))
    lie(detour, theirs.to_json())
    registered = await register(owner)
    assert registered["service"][0]["attributes"]["main"]["name"] == "Ours"
    assert await owner.chain.did_record(str(theirs.did)) is None


@pytest.mark.parametrize("proof", [{}, {"signatureValue": "0x" + "11" * 65}, {"request": {}}])
async def test_a_document_of_this_description_that_we_did_not_sign_is_made_anew(
    provider: Market, proof: JsonObject
) -> None:
    document = await pending(provider)
    document["service"][0]["serviceEndpoint"] = ELSEWHERE.replace("{did}", document["id"])
    kept = {name: value for name, value in document["proof"].items() if name not in ("request", "signatureValue")}
    document["proof"] = kept | proof
    again, detour = await provider.client("owner")
    lie(detour, document)
    registered = await register(again)
    assert "elsewhere" not in registered["service"][0]["serviceEndpoint"]


async def test_a_catalogue_that_always_names_another_asset_ends_somewhere(provider: Market) -> None:
    document = await pending(provider)
    again, detour = await provider.client("owner")
    asked: list[str] = []

    def other(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "/publications/" in request.url.path:
            asked.append(request.url.path)
            if len(asked) == 1:
                problem = Problem.of(InsituError("AssetNotFound", "nothing")).model_dump(mode="json", by_alias=True)
                return httpx.Response(404, json=problem, request=request)
        if request.method == "POST" and request.url.path.endswith("/ddo"):
            return httpx.Response(200, json=json_of(response) | {"did": "did:nv:" + "ab" * 32}, request=request)
        return response

    detour.answered = other
    assert (await register(again))["id"] == document["id"]
    assert len(asked) == 2


async def test_a_gateway_that_stores_other_bytes_is_found_out(provider: Market) -> None:
    consumer, detour = await provider.client("consumer")

    def other(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if not request.url.path.endswith("/upload"):
            return response
        return httpx.Response(200, json=json_of(response) | {"sha256": "ab" * 32}, request=request)

    detour.answered = other
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await consumer.assets.publish_algorithm("Count", SCRIPT)
    assert (await consumer.assets.search()).total_results == 0
