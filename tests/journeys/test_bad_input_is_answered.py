"""Whatever reaches the public port of a running provider gets an answer that says what to do, and never a 500."""

import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from insitu import Stage
from insitu.api.gateway_v1 import BASE, EXEC_ALIASES
from insitu.api.metadata_v1 import DDO, QUERY
from insitu.domain.errors import ERRORS, InsituError
from insitu.testing.provider import ProviderProcess
from tests.market import Market

pytestmark = [pytest.mark.slow, pytest.mark.needs("oci", "chain", "root")]

DID = "did:nv:" + "0" * 64
ADDRESS = "0x" + "12" * 20
JSON = {"Content-Type": "application/json"}
AGREEMENT, EXECUTION = "ab" * 32, "wx" + "a" * 26

POSTED = [f"{BASE}{path}" for path in ("/check", "/encrypt", "/upload", "/oauth/token", *EXEC_ALIASES)] + [DDO, QUERY]

MALFORMED = {
    "nothing": b"",
    "half an object": b'{"serviceAgreementId": "',
    "no object": b"[]",
    "null": b"null",
    "not a number": b'{"price": NaN}',
    "no text": b"\xff\xfe\x00",
    "a lone surrogate": b'{"workflowDid": "\\ud800", "consumer": "' + ADDRESS.encode() + b'"}',
    "deep": b"[" * 100_000,
    "a long number": b'{"serviceIndex": ' + b"9" * 5000 + b"}",
    "twice the same member": b'{"id": 1, "id": 2}',
}

WRONG_HEX = [
    "",
    "0x",
    "zz" * 32,
    "ab" * 31,
    "ab" * 33,
    "AB" * 31 + "GG",
    "0x" * 32,
    "\u0661" * 64,
    "did:op:" + "1" * 64,
]

TRICKS = ["../../etc/passwd", "..%2f..%2fetc", "%00", "%2e%2e", "a" * 5000, "\u202etxt.exe", "con:", "*", "' OR 1=1 --"]


@pytest.fixture
async def http(marketplace: ProviderProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A caller that nobody knows."""
    async with httpx.AsyncClient(base_url=marketplace.url, timeout=60) as client:
        yield client


def require_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """Require a problem document that blames the caller, with a code of the table and a next step."""
    assert 400 <= answer.status_code < 500, (answer.request.url, answer.status_code, answer.text[:500])
    assert not statuses or answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:500]
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:insitu:error:{problem['code']}"
    assert problem["status"] == answer.status_code
    assert problem["code"] in ERRORS
    assert problem["nextStep"]
    return problem


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_invalid_json(http: httpx.AsyncClient, body: bytes) -> None:
    for path in POSTED:
        if path == QUERY and body == b"":
            continue  # a search for everything
        require_problem(await http.post(path, content=body, headers=JSON))


async def test_bodies_that_are_huge(http: httpx.AsyncClient) -> None:
    for path in (f"{BASE}/check", DDO, QUERY):
        require_problem(await http.post(path, content=b'{"a": "' + b"a" * 3_000_000 + b'"}', headers=JSON), 413)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 65536

    # A client that never stops sending is answered before the end or cut off; this one notices both.
    with contextlib.suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        require_problem(await http.post(f"{BASE}/check", content=endless(), headers=JSON), 413)
    assert (await http.get(BASE)).is_success, "it still answers"


@pytest.mark.parametrize("wrong", WRONG_HEX)
async def test_invalid_hexadecimal_digits(http: httpx.AsyncClient, wrong: str) -> None:
    escaped = quote(wrong, safe="") or "%20"
    require_problem(await http.get(f"{DDO}/{escaped}"))
    require_problem(await http.get(f"{DDO}/{DID}", params={"checksum": wrong}))
    require_problem(await http.get(f"{BASE}/compute/status/{escaped}/{EXECUTION}"))
    require_problem(await http.get(f"{BASE}/download/{escaped}/0"))
    require_problem(await http.post(f"{BASE}/check", json={"consumer": ADDRESS, "workflowDid": f"did:nv:{wrong}"}))
    require_problem(await http.post(f"{BASE}/check", json={"consumer": f"0x{wrong}", "workflowDid": DID}))
    require_problem(await http.post(f"{BASE}/exec", json={"serviceAgreementId": wrong}))


@pytest.mark.parametrize("trick", TRICKS)
async def test_path_tricks_in_addresses(http: httpx.AsyncClient, trick: str) -> None:
    for path in (f"{DDO}/{{}}", f"{BASE}/download/{{}}/0", f"{BASE}/download/{DID}/{{}}", f"{BASE}/{{}}"):
        for written in (trick, quote(trick, safe="")):
            require_problem(await http.get(path.format(written)))


@pytest.mark.parametrize("trick", TRICKS)
async def test_path_tricks_beside_the_interfaces_are_answered_by_a_page(http: httpx.AsyncClient, trick: str) -> None:
    for written in (trick, quote(trick, safe="")):
        answer = await http.get(f"/{written}")
        assert 400 <= answer.status_code < 500, (answer.request.url, answer.status_code)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "root:" not in answer.text


async def test_requests_that_no_client_makes(http: httpx.AsyncClient, marketplace: ProviderProcess) -> None:
    parts = urlsplit(marketplace.url)
    for sent in (b"GARBAGE\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as raw:
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                assert not raw.recv(65536).startswith(b"HTTP/1.1 5")
    assert (await http.get(BASE)).is_success


async def test_prices_that_are_negative_or_no_amount(market: Market, http: httpx.AsyncClient) -> None:
    for price in ("-1", -1, "1,5", 1.5):
        with pytest.raises(InsituError) as refused:
            await market.dataset(f"priced {price!r}", price=price)
        assert refused.value.code in {"InvalidDocument", "InvalidRequest", "InvalidAmount"}, price
    document = (await market.dataset()).ddo.to_json()
    for price in ("-1", -1, "1.5", 1e300):
        changed = json.loads(json.dumps(document))
        for service in changed["service"]:
            service["attributes"]["main"]["price"] = price
        require_problem(await http.post(DDO, json=changed))


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "a\0b", "..", "a/../../b", "\u202egpj.exe", "x" * 300]
)
async def test_path_tricks_in_the_names_of_files(market: Market, name: str) -> None:
    with pytest.raises(InsituError) as refused:
        await market.consumer.assets.publish_algorithm("trick", {"run.py": "", name: "x"}, entrypoint="python3 run.py")
    assert refused.value.code == "InvalidDocument"


async def test_files_outside_of_the_published_folders(market: Market) -> None:
    for path in ("/etc/passwd", f"{market.provider.data}/../up.log", f"{market.provider.data}x/y", "//etc/passwd"):
        with pytest.raises(InsituError) as refused:
            await market.publisher.assets.publish_dataset(path, [f"file://{path}"], algorithms="any")
        assert refused.value.code in {"CreatorNotAllowed", "InvalidRequest"}


async def test_a_workflow_of_ten_thousand_stages(market: Market, http: httpx.AsyncClient) -> None:
    dataset, algorithm = await market.dataset(), await market.algorithm()
    stage = Stage(algorithm=algorithm.did, inputs=[dataset.did])
    document = (await market.workflow()).ddo.to_json()
    for service in document["service"]:
        main = service["attributes"]["main"]
        if "workflow" in main:
            [only] = main["workflow"]["stages"]
            main["workflow"]["stages"] = [{**only, "index": index} for index in range(10_000)]
    problem = require_problem(await http.post(DDO, json=document))
    assert len(problem.get("problems", [])) <= 100
    with pytest.raises(InsituError) as refused:
        await market.consumer.assets.publish_workflow("long", [stage] * 10_000)
    assert refused.value.code == "TooManyStages"
