"""Everything that a caller can do wrong gets a problem document: 4xx with a code and a next step."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.api.app import build_app
from insitu.api.gateway_v1 import BASE, JWT_BEARER, TICKETS
from insitu.domain.agreement import Terms
from insitu.domain.errors import ERRORS
from insitu.gateway.bodies import body_limits
from insitu.gateway.routes import router, ticket_router
from tests.gateway.purchases import offered_terms, signed
from tests.gateway.world import World, json_of

pytestmark = pytest.mark.needs("chain")

AGREEMENT, EXECUTION = "ab" * 32, "wx" + "a" * 26
DEEP = "[" * 5000 + "]" * 5000
IDS = ["x", "../../etc", "%00", "ab" * 31, "zz" * 32, "0x" + "ab" * 32, "\u202e", "a" * 3000]


@pytest.fixture
async def http(provider: World) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway as `insitu serve gateway` serves it. A 500 is a response here and not an exception."""
    routers = [router(provider.gateway), ticket_router(provider.gateway.peer)]
    limits = body_limits(provider.configuration)
    app = build_app("gateway of a test", "0", routers, max_body_bytes=65536, body_limits=limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def require_problem(response: httpx.Response, *statuses: int) -> Any:
    assert response.headers["content-type"] == "application/problem+json", response.text[:500]
    problem = json_of(response)
    assert problem["code"] in ERRORS
    assert problem["nextStep"]
    assert 400 <= response.status_code < 500, problem
    assert not statuses or response.status_code in statuses, problem
    return problem


async def authorised(provider: World, who: str = "consumer") -> dict[str, str]:
    from insitu.sdk.http import Http
    from insitu.sdk.tokens import Tokens

    tokens = Tokens(Http(transport=provider.http._transport), provider.configuration.public_url, provider.people[who])
    return dict(await tokens.headers())


async def for_downloads(provider: World) -> dict[str, str]:
    """A token of the consumer that is good for downloads only."""
    from insitu.sdk.tokens import assertion

    audience = provider.configuration.audience("download")
    signed = assertion(provider.people["consumer"], audience, int(time.time()))
    form = {"grant_type": JWT_BEARER, "assertion": signed}
    answer = json_of(await provider.http.post(BASE + "/oauth/token", data=form))
    return {"Authorization": f"Bearer {answer['access_token']}"}


POSTS = ["/check", "/agreements", "/offers", "/exec", "/execute", "/compute/exec", "/encrypt"]
OPEN = {"/check", "/agreements", "/offers"}
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"\xff\xfe",
    DEEP.encode(),
    b'{"serviceAgreementId": 7}',
    b'{"serviceAgreementId": "' + b"ab" * 32 + b'", "more": 1}',
    b'{"consumer": "0x12", "workflowDid": "did:nv:12"}',
    b'{"consumer": "' + b"0x" + b"12" * 20 + b'", "workflowDid": "did:nv:12"}',
    b'{"consumer": "' + b"0x" + b"12" * 20 + b'", "workflowDid": "\\ud800"}',
    b'{"consumer": "' + b"0x" + b"12" * 20 + b'", "workflowDid": "did:nv:' + b"ab" * 32 + b'", "serviceIndex": -1}',
    b'{"creator": "x", "files": []}',
    b'{"creator": "' + b"0x" + b"12" * 20 + b'", "files": [{"url": "file:///etc/passwd"}]}',
]


async def test_bodies_that_are_not_requests(provider: World, http: httpx.AsyncClient) -> None:
    headers = {name: await authorised(provider) for name in ("exec", "encrypt")}
    for path in POSTS:
        token = headers.get("encrypt" if path == "/encrypt" else "exec", {}) if path not in OPEN else {}
        for body in BODIES:
            sent = {**token, "Content-Type": "application/json"}
            require_problem(await http.post(BASE + path, content=body, headers=sent))


HIGHEST = 2**256 - 1
SOMEBODY = "0x" + "12" * 20
ODD_TERMS: list[dict[str, Any]] = [
    {"amounts": [str(HIGHEST)] * 2},
    {"amounts": ["0", "0"]},
    {"amounts": ["13"]},
    {"amounts": ["10", "3", "1"]},
    {"receivers": [SOMEBODY] * 9, "amounts": ["1"] * 9},
    {"receivers": ["0x" + "00" * 20, SOMEBODY]},
    {"receivers": [], "amounts": []},
    {"serviceIndex": 2**32 - 1},
    {"grantTimeout": 0, "timeout": 0, "settleTimeout": 2**32 - 1},
    {"did": "0x" + "00" * 32, "workflowId": "0x" + "ff" * 32},
    {"inputsHash": "0x" + "00" * 32},
    {"workflowHash": "0x" + "00" * 32},
    {"consumer": "0x" + "00" * 20},
]


async def test_purchases_with_odd_terms(provider: World, http: httpx.AsyncClient) -> None:
    terms = await offered_terms(provider)
    for odd in ODD_TERMS:
        other = Terms.model_validate(terms.model_dump(by_alias=True) | odd)
        purchase = await signed(provider, other, allowed=13)
        for permit in (None, {"value": str(HIGHEST), "deadline": 2**64 - 1, "signature": "0x" + "ff" * 65}):
            body = purchase.model_dump(mode="json", by_alias=True) | {"permit": permit}
            require_problem(await http.post(BASE + "/agreements", json=body))
        answer = await http.post(BASE + "/offers", json={"terms": other.model_dump(mode="json", by_alias=True)})
        if "consumer" not in odd:  # An offer to nobody is useless.
            require_problem(answer)


async def test_huge_bodies(provider: World, http: httpx.AsyncClient) -> None:
    huge = b'{"workflowDid": "' + b"a" * 70_000 + b'"}'
    require_problem(await http.post(BASE + "/check", content=huge, headers={"Content-Type": "application/json"}), 413)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"a" * 65536

    upload = await http.post(BASE + "/check", content=endless(), headers={"Content-Type": "application/json"})
    require_problem(upload, 413)
    object.__setattr__(provider.configuration, "upload_bytes", 1000)
    headers = await authorised(provider)
    require_problem(await http.post(BASE + "/upload", content=b"a" * 2000, headers=headers), 413)


async def test_invalid_tokens(provider: World, http: httpx.AsyncClient) -> None:
    own = await for_downloads(provider)
    execute: Any = {"serviceAgreementId": AGREEMENT}
    encrypt: Any = {"did": "did:nv:" + "12" * 32, "checksum": {}, "files": []}
    several: list[dict[str, Any]] = [{}, {"Authorization": "Bearer x"}, {"Authorization": b"\xff"}, own]
    for headers in several:
        for path, body in (("/exec", execute), ("/encrypt", encrypt), ("/upload", execute)):
            require_problem(await http.post(BASE + path, json=body, headers=headers), 401, 403)
        for path in ("status", "events", "logs", "receipt", "result"):
            answer = await http.get(f"{BASE}/compute/{path}/{AGREEMENT}/{EXECUTION}", headers=headers)
            require_problem(answer, 401, 403)
        require_problem(await http.delete(f"{BASE}/compute/{AGREEMENT}/{EXECUTION}", headers=headers), 401, 403)
        require_problem(await http.get(f"{BASE}/compute/executions", headers=headers), 401, 403)


async def test_invalid_ids(provider: World, http: httpx.AsyncClient) -> None:
    compute, download = await authorised(provider), await authorised(provider)
    for wrong in IDS:
        for path in ("status", "events", "logs", "receipt", "result"):
            require_problem(await http.get(f"{BASE}/compute/{path}/{wrong}/{EXECUTION}", headers=compute), 400, 404)
            require_problem(await http.get(f"{BASE}/compute/{path}/{AGREEMENT}/{wrong}", headers=compute), 400, 404)
        require_problem(await http.get(f"{BASE}/download/{wrong}/0", headers=download), 400, 404)
        query = {"serviceAgreementId": wrong}
        answer = await http.get(f"{BASE}/compute/executions", params=query, headers=compute)
        if wrong != "0x" + AGREEMENT:
            require_problem(answer, 400)
    for index in ("-1", "x", "99999999999999999999999", "1.5"):
        did = "did:nv:" + "ab" * 32
        require_problem(await http.get(f"{BASE}/download/{did}/{index}", headers=download), 400, 404)


async def test_invalid_positions_in_streams(provider: World, http: httpx.AsyncClient) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    agreement = await provider.buy(workflow)
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "end")
    headers = {**await authorised(provider), "Accept": "text/event-stream"}
    for path in ("events", "logs"):
        for wrong in ("x", "-1", "1:2", "1:2:3:4", "9" * 90, "1:1:-1", "\xb2"):
            address = f"{BASE}/compute/{path}/{agreement}/{started.workflow_execution_id}"
            require_problem(await http.get(address, headers={**headers, "Last-Event-ID": wrong.encode("latin-1")}), 400)


async def test_invalid_sign_in(http: httpx.AsyncClient) -> None:
    for form in ({}, {"grant_type": "x"}, {"grant_type": "x", "assertion": "y"}, {"assertion": "a" * 20_000}):
        require_problem(await http.post(BASE + "/oauth/token", data=form))
    require_problem(await http.post(BASE + "/oauth/token", content=b"\xff\xff\x00", headers={"Content-Type": "x/y"}))
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    require_problem(await http.post(BASE + "/oauth/token", content=b"--x\r\nbroken", headers=multipart))


async def test_invalid_idempotency_keys(provider: World, http: httpx.AsyncClient) -> None:
    headers = await authorised(provider)
    for key in (b"", b"k" * 300, b"\x01", b"\xe2\x80"):
        sent = {**headers, "Idempotency-Key": key}
        require_problem(await http.post(BASE + "/exec", json={"serviceAgreementId": AGREEMENT}, headers=sent))


async def test_invalid_tickets(provider: World, http: httpx.AsyncClient) -> None:
    real = provider.desk.ticket_issuer.issue(EXECUTION)  # type: ignore[arg-type]
    for ticket in ("", "x", real, real[:-1] + "0", EXECUTION + ".", "a" * 1000, "é"):
        headers = {"Authorization": f"Bearer {ticket}".encode()}
        body = {"workflowExecutionId": EXECUTION, "transitions": []}
        require_problem(await http.post(TICKETS + "/progress", json=body, headers=headers), 400, 401)
        require_problem(await http.get(TICKETS + "/files/0-input-1-0", headers=headers), 400, 401)
        require_problem(await http.put(TICKETS + "/outputs/" + "ab" * 32, content=b"x", headers=headers), 400, 401)
        require_problem(await http.put(TICKETS + "/outputs/xyz", content=b"x", headers=headers), 400, 401)
        require_problem(await http.post(TICKETS + "/finish", json={"plan": 7}, headers=headers), 400, 401)


async def test_unknown_addresses_and_methods(http: httpx.AsyncClient) -> None:
    require_problem(await http.get(BASE + "/nothing"), 404)
    require_problem(await http.put(BASE + "/exec"), 405)
    require_problem(await http.get(BASE + "/compute/status/a/b/c"), 404)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=20,
)
NAMES = ["consumer", "workflowDid", "serviceIndex", "serviceAgreementId", "creator", "files", "url", "index"]


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON | st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
async def test_no_json_causes_a_500(http: httpx.AsyncClient, body: Any) -> None:
    text = json.dumps(body)
    for path in POSTS:
        answer = await http.post(BASE + path, content=text, headers={"Content-Type": "application/json"})
        require_problem(answer)
