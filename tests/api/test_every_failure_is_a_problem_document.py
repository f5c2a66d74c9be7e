"""What all servers share: one shape of errors (RFC 9457), limits, and headers."""

import sys
from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from fastapi import APIRouter, Request

from insitu.api.app import StrictRoute, build_app
from insitu.api.errors import MEDIA_TYPE, Problem
from insitu.domain.errors import InsituError
from insitu.domain.wire import WireRequest

router = APIRouter(route_class=StrictRoute)


class Parcel(WireRequest):
    width: int
    label: str = ""


@router.post("/parcels")
async def post_parcel(parcel: Parcel) -> Parcel:
    return parcel


@router.get("/refused")
async def refused(name: str = "nobody") -> None:
    raise InsituError("NotOwner", f"{name} does not own this", owner=name)


@router.get("/shelves/{name}")
async def show_shelf(name: str) -> str:
    return name


@router.delete("/shelves/{name}")
async def clear_shelf(name: str) -> str:
    return name


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("the password is swordfish")


@router.post("/upload")
async def upload(request: Request) -> int:
    return sum([len(chunk) async for chunk in request.stream()])


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("Sample", "1", [router], max_body_bytes=1000, body_limits={"/upload": 5000})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as http:
        yield http


def problem(answer: httpx.Response, status: int, code: str) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    read = Problem.model_validate(answer.json())
    assert (read.status, read.code, read.type) == (status, code, f"urn:insitu:error:{code}")
    assert read.instance == answer.headers["x-request-id"]
    assert read.next_step
    return read


async def test_a_refusal_carries_its_code_detail_and_facts(client: httpx.AsyncClient) -> None:
    read = problem(await client.get("/refused"), 403, "NotOwner")
    assert read.detail == "nobody does not own this"
    assert read.context == {"owner": "nobody"}
    assert str(read.error()) == "NotOwner: nobody does not own this"


async def test_a_defect_reveals_nothing_but_the_id_of_the_request(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/broken", headers={"X-Request-Id": "my-request-1"})
    assert problem(answer, 500, "InternalError").instance == "my-request-1"
    assert "swordfish" not in answer.text
    assert "my-request-1" in caplog.text
    assert "swordfish" in caplog.text


async def test_an_address_or_method_that_does_not_exist(client: httpx.AsyncClient) -> None:
    problem(await client.get("/nowhere"), 404, "NotFound")
    answer = await client.put("/parcels")
    problem(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_allow_names_every_method_of_a_path(client: httpx.AsyncClient) -> None:
    answer = await client.put("/shelves/a")
    problem(answer, 405, "MethodNotAllowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"width": ' + b"[" * 400,
        b"[]",
        b"null",
        b"",
        b'{"width": NaN}',
        b'{"width": 1, "label": "\\ud800"}',
        b'{"width": 1, "width": 2}',
        b'{"width": 1, "label": ' + b"[" * 70 + b"]" * 70 + b"}",
    ],
)
async def test_a_malformed_body_is_an_invalid_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/parcels", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 400, "InvalidRequest")


@pytest.mark.parametrize("body", [b"[" * 5_000_000, b'{"width": 1' + b"0" * 5000 + b"}"])
async def test_deep_nesting_and_endless_numbers_are_invalid_requests(
    body: bytes, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(partial(sys.setrecursionlimit, sys.getrecursionlimit()))
    # As importing eth-account does: the parser of JSON would now overflow the stack of the process.
    sys.setrecursionlimit(100_000)
    app = build_app("Sample", "1", [router], max_body_bytes=10_000_000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as http:
        headers = {"Content-Type": "application/json"}
        problem(await http.post("/parcels", content=body, headers=headers), 400, "InvalidRequest")


async def test_members_that_are_wrong_are_named_by_pointers(client: httpx.AsyncClient) -> None:
    read = problem(await client.post("/parcels", json={"width": "x", "lable": "y"}), 400, "InvalidRequest")
    assert {(one.pointer, one.code) for one in read.problems} == {("/width", "WrongType"), ("/lable", "UnknownField")}


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_beyond_the_limit_is_refused_announced_or_streamed(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    problem(await client.post("/parcels", content=b"x" * 1001, headers=headers), 413, "BodyTooLarge")
    problem(await client.post("/parcels", content=chunks(100, 11), headers=headers), 413, "BodyTooLarge")
    problem(await client.post("/upload", content=chunks(1000, 6)), 413, "BodyTooLarge")
    assert (await client.post("/upload", content=chunks(1000, 5))).json() == 5000


async def test_a_client_that_sends_a_little_too_much_keeps_the_connection(client: httpx.AsyncClient) -> None:
    for path in ("/upload", "/nowhere"):
        answer = await client.post(path, content=chunks(1000, 100))
        assert answer.is_error
        assert "connection" not in answer.headers


async def test_a_client_that_never_stops_sending_is_answered_and_cut_off(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    for path, status, code in (("/upload", 413, "BodyTooLarge"), ("/nowhere", 404, "NotFound")):
        answer = await client.post(path, content=endless())
        problem(answer, status, code)
        assert answer.headers["connection"] == "close"


async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient) -> None:
    for answer in [await client.post("/parcels", json={"width": 1}), await client.get("/nowhere")]:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_text_without_a_utf8_form_comes_back_as_a_problem(client: httpx.AsyncClient) -> None:
    problem(await client.get("/refused", params={"name": "\x00\u202e"}), 403, "NotOwner")
