"""Whatever a stranger sends, the catalogue answers with a problem document, never with a 500."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from insitu.api.errors import MEDIA_TYPE
from insitu.api.metadata_v1 import ASSETS, DDO, QUERY
from tests.metadata.documents import dataset, signed

pytestmark = pytest.mark.needs("chain")

ALICE = dev_signer("owner")
DID = "did:nv:" + "0" * 64
JSON = {"Content-Type": "application/json"}

hostile = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["-1", "1e99", "../../etc/passwd", "\u0000", "\ud800", "0x" + "f" * 64, "9" * 200, DID]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def is_problem(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == answer.status_code


def is_no_defect(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        is_problem(answer)


def body(value: object) -> bytes:
    return json.dumps(value).encode()


BODIES = [
    b"",
    b"{",
    b"nul",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'"text"',
    b"1" * 5000,
    b"[" * 200_000,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    b'{"service": [{"index": true}]}',
    b'{"service": {"0": {}}}',
    b'{"@context": "x", "id": "\\ud800"}',
    b'{"id": NaN}',
    b'{"id": "did:nv:../../x"}',
    b'{"proof": {"checksum": [1]}}',
    b'{"proof": {"checksum": {"0": 1}, "creator": "0x1"}}',
]


@pytest.mark.parametrize("content", BODIES, ids=lambda content: repr(content[:24]))
@pytest.mark.parametrize(
    ("method", "path"), [("POST", DDO), ("PUT", f"{DDO}/{DID}"), ("DELETE", f"{DDO}/{DID}"), ("POST", QUERY)]
)
async def test_malformed_bodies(http: httpx.AsyncClient, method: str, path: str, content: bytes) -> None:
    is_problem(await http.request(method, path, content=content, headers=JSON))


async def test_a_body_that_is_too_large(http: httpx.AsyncClient) -> None:
    answer = await http.post(DDO, content=b" " * (1024 * 1024 + 1), headers=JSON)
    is_problem(answer)
    assert answer.status_code == 413


async def test_a_document_with_ten_thousand_stages(http: httpx.AsyncClient, chain: EmbeddedChain) -> None:
    stage: dict[str, Any] = {"index": 0, "input": [], "transformation": {"id": DID}, "output": {}}
    stages = [{**stage, "index": number} for number in range(10_000)]
    document = signed(dataset(chain, ALICE), ALICE)
    document["service"][0]["attributes"]["main"] |= {"type": "workflow", "workflow": {"stages": stages}}
    answer = await http.post(DDO, json=document)
    is_problem(answer)
    assert len(answer.json()["problems"]) <= 100


@pytest.mark.parametrize(
    "did",
    [
        "../ddo",
        "%2e%2e%2f",
        "did:nv:" + "0" * 63,
        "did:nv:" + "0" * 63 + "G",
        "did:nv:" + "A" * 64,
        "\0",
        "*",
        "a" * 5000,
    ],
)
@pytest.mark.parametrize("tail", ["", "/status"])
async def test_path_tricks_and_wrong_hex(http: httpx.AsyncClient, did: str, tail: str) -> None:
    is_problem(await http.get(f"{DDO}/{quote(did, safe='')}{tail}"))
    is_problem(await http.put(f"{DDO}/{quote(did, safe='')}", json={"id": did}))


@pytest.mark.parametrize("checksum", ["", "0x", "g" * 64, "0" * 63, "'; DROP TABLE asset; --"])
async def test_wrong_checksums(http: httpx.AsyncClient, checksum: str) -> None:
    is_problem(await http.get(f"{DDO}/{DID}", params={"checksum": checksum}))


@pytest.mark.parametrize(
    "parameters",
    [
        {"priceMin": "-1"},
        {"priceMax": "1.5"},
        {"priceMax": "9" * 79},
        {"page": "0"},
        {"page": "99999999999999999999"},
        {"offset": "101"},
        {"sort": "name"},
        {"owner": "0x1"},
        {"descending": "perhaps"},
        {"unknown": "1"},
        {"text": "x" * 401},
    ],
)
async def test_wrong_search_parameters_are_reported_in_both_forms(http: httpx.AsyncClient, parameters: dict) -> None:
    is_problem(await http.get(QUERY, params=parameters))
    is_problem(await http.post(QUERY, json=parameters))


@pytest.mark.parametrize("parameters", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"after": "x" * 81}])
async def test_wrong_parameters_of_the_list(http: httpx.AsyncClient, parameters: dict) -> None:
    is_problem(await http.get(ASSETS, params=parameters))


@hostile
@given(value=values)
async def test_arbitrary_json_as_a_document(http: httpx.AsyncClient, value: object) -> None:
    is_problem(await http.post(DDO, content=body(value), headers=JSON))
    is_problem(await http.request("DELETE", f"{DDO}/{DID}", content=body(value), headers=JSON))


def places(value: object, path: tuple = ()) -> list[tuple]:
    """A place in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in inside for place in places(member, (*path, key)))]


def replaced(document: Any, path: tuple, value: object) -> Any:
    if not path:
        return value
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[path[0]] = replaced(document[path[0]], path[1:], value)
    return changed


@hostile
@given(choice=st.integers(0, 10_000), value=values)
async def test_a_document_with_one_member_replaced_by_anything(
    http: httpx.AsyncClient, chain: EmbeddedChain, choice: int, value: object
) -> None:
    document = signed(dataset(chain, ALICE, "Replaced"), ALICE)
    everywhere = places(document)
    changed = replaced(document, everywhere[choice % len(everywhere)], value)
    # A member that nothing binds, such as the type of the proof, may be anything.
    is_no_defect(await http.post(DDO, content=body(changed), headers=JSON))


@hostile
@given(
    text=st.text(max_size=60),
    filters=st.dictionaries(
        st.sampled_from(["tag", "type", "author", "license", "category", "service"]), st.text(max_size=20)
    ),
)
async def test_no_text_of_a_search_is_a_defect(http: httpx.AsyncClient, text: str, filters: dict) -> None:
    is_no_defect(await http.post(QUERY, content=body({"text": text, **filters}), headers=JSON))
    try:
        is_no_defect(await http.get(QUERY, params={"text": text, **filters}))
    except UnicodeEncodeError:
        return


@hostile
@given(path=st.text(max_size=30), tail=st.sampled_from(["", "/status", "/x"]))
async def test_no_address_is_a_defect(http: httpx.AsyncClient, path: str, tail: str) -> None:
    encoded = quote(path.encode("utf-8", "surrogatepass"), safe="")
    is_no_defect(await http.get(f"{DDO}/{encoded}{tail}"))
    is_no_defect(await http.get(f"{ASSETS}/publications/{encoded}"))
