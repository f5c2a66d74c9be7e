"""``assets/facets`` and ``assets/summaries``: what a page with a list of assets asks, whoever wrote the page."""

from datetime import datetime
from itertools import count

import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.metadata_v1 import DDO, FACETS, QUERY, SUMMARIES
from insitu.domain.canonical import JsonObject
from tests.metadata.documents import dataset, eventually, register, signed
from tests.metadata.test_documents_are_published_by_those_who_may import refused

pytestmark = pytest.mark.needs("chain")

ALICE = dev_signer("owner")
NUMBERS = count(1)
"""Equal documents of one second have one DID."""
NOBODY = "did:nv:" + "9" * 64


@pytest.fixture
async def trains(http: httpx.AsyncClient, chain: EmbeddedChain) -> str:
    """A listed data set."""
    name, more = f"Trains {next(NUMBERS)}", {"tags": ["Rail", "Delays"], "categories": ["Transport"]}
    unsigned = dataset(chain, ALICE, name, price=7, **more)
    assert (await http.post(DDO, json=signed(unsigned, ALICE))).status_code == 201
    await register(chain, unsigned, ALICE)
    assert (await http.get(f"{DDO}/{unsigned.did}/status", params={"wait": 20})).json()["state"] == "listed"
    return str(unsigned.did)


async def test_a_search_has_facets_with_what_documents_say(http: httpx.AsyncClient, trains: str) -> None:
    filters = {"text": "trains", "tag": "RAIL", "priceMin": "1"}
    answer = await http.post(FACETS, json=filters)
    facets = answer.json()
    assert answer.status_code == 200, facets
    assert (facets["totalResults"], facets["more"]) == (1, False)
    assert facets["totalResults"] == (await http.post(QUERY, json=filters)).json()["totalResults"]
    values = {kind: found["values"] for kind, found in facets.items() if isinstance(found, dict)}
    assert values == {
        "type": [{"value": "dataset", "count": 1}],
        "service": [{"value": kind, "count": 1} for kind in sorted(entry["value"] for entry in values["service"])],
        "tag": [{"value": "Delays", "count": 1}, {"value": "Rail", "count": 1}],
        "category": [{"value": "Transport", "count": 1}],
        "author": [{"value": "Alice", "count": 1}],
        "license": [{"value": "CC0", "count": 1}],
        "price": [{"value": "priced", "count": 1}],
        "mayRun": [{"value": "any", "count": 1}],
        "mayLeave": [{"value": "any file", "count": 1}, {"value": "log", "count": 1}],
        "state": [{"value": "listed", "count": 1}],
    }
    assert {"value": "compute", "count": 1} in values["service"]
    assert (await http.get(FACETS, params=filters)).json() == facets
    free = (await http.post(FACETS, json={"text": "trains", "priceMax": "0"})).json()
    assert (free["totalResults"], free["tag"]) == (0, {"values": [], "moreValues": False})
    assert (await http.post(FACETS, json={"text": "*"})).json()["totalResults"] == 0


async def test_the_versions_of_an_asset_are_listed(http: httpx.AsyncClient, trains: str) -> None:
    status = (await http.get(f"{DDO}/{trains}/status")).json()
    listed = (await http.get(f"{DDO}/{trains}/versions")).json()["versions"]
    assert [(one["number"], one["checksum"], one["here"]) for one in listed] == [(1, status["checksum"], True)]
    assert (await http.get(f"{DDO}/{NOBODY}/versions")).json() == {"versions": []}
    refused(await http.get(f"{DDO}/did:nv:1/versions"), 400, "InvalidDid")


async def test_facets_have_no_page_and_no_order(http: httpx.AsyncClient) -> None:
    refused(await http.post(FACETS, json={"page": 2}), 400, "InvalidRequest")
    refused(await http.get(FACETS, params={"sort": "date"}), 400, "InvalidRequest")


async def test_summaries_name_what_is_unknown_and_keep_the_order(
    http: httpx.AsyncClient, chain: EmbeddedChain, trains: str
) -> None:
    waiting = dataset(chain, ALICE, "Trams", price=0)
    assert (await http.post(DDO, json=signed(waiting, ALICE))).status_code == 201
    asked = [NOBODY, str(waiting.did), trains, trains]
    answer = (await http.post(SUMMARIES, json={"dids": asked})).json()
    assert answer["unknown"] == [NOBODY]
    tram, train = answer["summaries"]
    assert (tram["did"], tram["state"], tram["createdAt"], tram["price"]) == (str(waiting.did), "pending", None, "0")

    status = (await http.get(f"{DDO}/{trains}/status")).json()
    assert {name: train[name] for name in status} == status
    rest: JsonObject = {name: value for name, value in train.items() if name not in status}
    created = datetime.fromisoformat(rest.pop("createdAt")).timestamp()
    assert 0 <= await chain.time() - created < 600
    assert rest == {
        "name": (await http.get(f"{DDO}/{trains}")).json()["service"][0]["attributes"]["main"]["name"],
        "type": "dataset",
        "author": "Alice",
        "license": "CC0",
        "price": "7",
        "tags": ["Rail", "Delays"],
    }
    assert (await http.get(SUMMARIES, params={"dids": asked})).json() == answer


async def test_one_question_is_about_1_to_100_dids(http: httpx.AsyncClient) -> None:
    many = [f"did:nv:{number:064x}" for number in range(100)]
    assert len((await http.post(SUMMARIES, json={"dids": many})).json()["unknown"]) == 100
    for dids in ([*many, NOBODY], [], ["did:nv:1"], [NOBODY.upper()], "x", [1]):
        refused(await http.post(SUMMARIES, json={"dids": dids}), 400, "InvalidRequest")
    refused(await http.get(SUMMARIES, params={"dids": [*many, NOBODY]}), 400, "InvalidRequest")
    refused(await http.get(SUMMARIES), 400, "InvalidRequest")


async def test_a_cache_asks_whether_anything_changed(
    http: httpx.AsyncClient, chain: EmbeddedChain, trains: str
) -> None:
    later = dataset(chain, ALICE, "Trains at night")
    addresses = (f"{SUMMARIES}?dids={trains}&dids={later.did}", f"{FACETS}?text=trains")
    tags = []
    for address in addresses:
        answer = await http.get(address)
        assert answer.headers["Cache-Control"] == "public, no-cache"
        tags.append({"If-None-Match": answer.headers["ETag"]})
        again = await http.get(address, headers=tags[-1])
        assert (again.status_code, again.content) == (304, b"")

    assert (await http.post(DDO, json=signed(later, ALICE))).status_code == 201
    await register(chain, later, ALICE)

    async def is_listed() -> bool:
        return (await http.get(f"{DDO}/{later.did}/status")).json()["state"] == "listed"

    await eventually(is_listed)
    for address, tag in zip(addresses, tags, strict=True):
        assert (await http.get(address, headers=tag)).status_code == 200
