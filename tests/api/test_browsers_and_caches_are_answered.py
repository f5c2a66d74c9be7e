"""HEAD, OPTIONS, "not modified", CORS and compression: what browsers, caches and probes expect of a server."""

from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
import httpx
import pytest
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from insitu.api.app import build_app
from insitu.api.gateway_v1 import BASE
from insitu.domain.errors import InsituError

PAGE = {"Origin": "https://page.example"}
router = APIRouter()
sent: list[int] = []


@router.get("/shelves/{name}")
async def show_shelf(name: str) -> Response:
    return Response("x" * 5000, media_type="application/json", headers={"ETag": f'"{name}"'})


@router.delete("/shelves/{name}")
async def clear_shelf(name: str) -> str:
    raise InsituError("NotOwner", f"{name} is not yours")


@router.get(BASE + "/download/endless")
@router.get("/endless")
async def show_endless() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(10_000):
            sent.append(number)
            yield b"x" * 5000
            await anyio.lowlevel.checkpoint()

    return StreamingResponse(chunks(), media_type="application/json")


@pytest.fixture
async def public() -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("Sample", "1", [router], max_body_bytes=1000, public=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as http:
        yield http


@pytest.fixture
async def private() -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("Sample", "1", [router], max_body_bytes=1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as http:
        yield http


async def test_head_answers_like_get_without_the_body(private: httpx.AsyncClient) -> None:
    got, head = await private.get("/shelves/a"), await private.head("/shelves/a")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == got.headers[name]
    missing = await private.head("/nowhere")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_head_of_an_endless_answer_ends(private: httpx.AsyncClient) -> None:
    sent.clear()
    assert (await private.head("/endless")).content == b""
    assert len(sent) < 10


async def test_options_says_which_methods_there_are(private: httpx.AsyncClient) -> None:
    answer = await private.options("/shelves/a")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert (await private.options("/nowhere")).status_code == 404


@pytest.mark.parametrize("known", ['"a"', 'W/"a"', '"b", "a"', "*"])
async def test_what_a_cache_already_has_is_not_sent_again(private: httpx.AsyncClient, known: str) -> None:
    answer = await private.get("/shelves/a", headers={"If-None-Match": known})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"a"'
    assert "content-length" not in answer.headers


@pytest.mark.parametrize("known", ['"b"', "a", "", '"a'])
async def test_what_a_cache_does_not_have_is_sent(private: httpx.AsyncClient, known: str) -> None:
    answer = await private.get("/shelves/a", headers={"If-None-Match": known})
    assert (answer.status_code, len(answer.content)) == (200, 5000)


async def test_only_reading_is_conditional(private: httpx.AsyncClient) -> None:
    answer = await private.delete("/shelves/a", headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.json()["code"]) == (403, "NotOwner")


async def test_a_page_of_any_origin_may_call_a_public_surface_without_credentials(public: httpx.AsyncClient) -> None:
    asked = PAGE | {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    allowed = await public.options("/shelves/a", headers=asked)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "DELETE" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["access-control-allow-headers"] == "authorization"
    answer = await public.get("/shelves/a", headers=PAGE)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    for found in (allowed, answer):
        assert "access-control-allow-credentials" not in found.headers


async def test_a_page_can_read_why_it_was_refused(public: httpx.AsyncClient) -> None:
    for refused in (await public.delete("/shelves/a", headers=PAGE), await public.get("/nowhere", headers=PAGE)):
        assert refused.headers["access-control-allow-origin"] == "*"
        assert refused.json()["nextStep"]


async def test_no_page_may_call_a_surface_that_is_not_public(private: httpx.AsyncClient) -> None:
    asked = PAGE | {"Access-Control-Request-Method": "GET", "Accept-Encoding": "gzip"}
    for answer in (await private.options("/shelves/a", headers=asked), await private.get("/shelves/a", headers=asked)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "content-encoding" not in answer.headers


async def test_answers_are_compressed_but_streams_are_not(public: httpx.AsyncClient) -> None:
    compressed = await public.get("/shelves/a", headers={"Accept-Encoding": "gzip"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in compressed.headers["vary"]
    assert len(compressed.content) == 5000
    assert int(compressed.headers["content-length"]) < 500
    plain = await public.get("/shelves/a", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    stream = await public.head(BASE + "/download/endless", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in stream.headers


async def test_a_compressed_answer_is_revalidated(public: httpx.AsyncClient) -> None:
    answer = await public.get("/shelves/a", headers={"Accept-Encoding": "gzip", "If-None-Match": '"a"'})
    assert (answer.status_code, answer.content) == (304, b"")
