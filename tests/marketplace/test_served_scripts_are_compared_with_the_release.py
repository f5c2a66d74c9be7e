"""`insitu marketplace verify`: a server that could run other scripts in a page is found out, if it does so openly."""

from collections.abc import Callable

import httpx
import pytest

from insitu.domain.errors import InsituError
from insitu.marketplace.service import Marketplace
from insitu.marketplace.static_files import bundles
from insitu.marketplace.verifying import Verification, verify_marketplace
from insitu.sdk.http import Http
from tests.marketplace.conftest import application

KNOWN = f"/static/{min(bundles())}"

Change = Callable[[str, bytes, dict[str, str]], tuple[bytes, dict[str, str]]]


class Changing(httpx.AsyncBaseTransport):
    """A marketplace whose answers somebody changes on their way."""

    def __init__(self, marketplace: Marketplace, change: Change) -> None:
        self._honest = httpx.ASGITransport(application(marketplace))
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = "identity"
        answer = await self._honest.handle_async_request(request)
        content, headers = self._change(request.url.path, await answer.aread(), dict(answer.headers))
        headers.pop("content-length", None)
        told = {name: value.encode("latin-1") for name, value in headers.items()}
        return httpx.Response(answer.status_code, content=content, headers=told)


async def compared(
    marketplace: Marketplace, change: Change = lambda _, content, headers: (content, headers)
) -> Verification:
    async with Http(transport=Changing(marketplace, change)) as http:
        return await verify_marketplace(http, "http://market.test/")


async def test_the_marketplace_of_this_release_holds(marketplace: Marketplace) -> None:
    found = await compared(marketplace)
    assert found.findings == []
    assert found.holds
    assert set(found.scripts) == set(bundles())
    assert {"/", "/help", "/security", "/status"} <= set(found.pages)


def in_pages(old: bytes, new: bytes) -> Change:
    def change(path: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        return (content.replace(old, new) if path == "/help" else content), headers

    return change


@pytest.mark.parametrize(
    ("new", "finding"),
    [
        (b"<script>alert(1)</script>", "written into the page"),
        (b"<script type=module>alert(1)</script>", "written into the page"),
        (b'<script type="importmap">{}</script>', "written into the page"),
        (b"<script src=/static/other.js></script>", "not a script of this release"),
        (b"<script src=https://elsewhere.test/static/x.js></script>", "not a script of this release"),
        (b"<link rel=modulepreload href=/other.js>", "not a script of this release"),
        (b"<b onclick=alert(1)>", "attribute onclick"),
        (b"<base href=https://elsewhere.test/>", "<base>"),
        (b"<iframe srcdoc=x></iframe>", "<iframe>"),
        (b"<meta http-equiv=refresh content=0>", "<meta>"),
        (b"<a href=javascript:alert(1)>x</a>", "a link runs a script"),
        (f'<script src=/evil.js src="{KNOWN}"></script>'.encode(), "not a script of this release"),
        (f'<script src="{KNOWN}?evil"></script>'.encode(), "not a script of this release"),
        (b"<!--><script src=/evil.js></script>-->", "hides <script>"),
        (b"<!-- a --!><script src=/evil.js></script>-->", "hides <script>"),
        (b"<![CDATA[><script src=/evil.js></script>]]>", "hides <script>"),
        (b"<svg><style><script href=/evil.js></script></style></svg>", "hides <script>"),
        (b'<script type="application/json"></script x><SCRIPT/src=/evil.js></script>', "hides <script>"),
        (b'<title><a b="</title><script src=/evil.js></script>">', "hides <script>"),
        (b"<!--><iframe src=/evil></iframe>-->", "hides <iframe>"),
    ],
)
async def test_a_page_that_runs_anything_else_is_found(marketplace: Marketplace, new: bytes, finding: str) -> None:
    found = await compared(marketplace, in_pages(b"<h1>", new + b"<h1>"))
    assert not found.holds
    assert [text for text in found.findings if finding in text and text.startswith("/help: ")], found.findings


@pytest.mark.parametrize(
    ("status", "changed", "finding"),
    [
        (200, {"content-type": "application/xhtml+xml"}, "its type"),
        (200, {"content-type": "text/html; charset=utf-16"}, "its type"),
        (200, {"content-type": "image/svg+xml"}, "its type"),
        # Browsers take the last of several types (Fetch, extract a MIME type).
        (200, {"content-type": "text/plain;a=b, text/html"}, "its type"),
        (200, {"refresh": "0; url=/evil"}, "leads elsewhere"),
        (307, {"location": "/evil"}, "leads elsewhere"),
    ],
)
async def test_an_answer_that_is_no_page_of_ours_is_found(
    marketplace: Marketplace, status: int, changed: dict[str, str], finding: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": "text/html; charset=utf-8", **changed}, html="<p>")

    class Leading(Changing):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return answer(request) if request.url.path == "/help" else await super().handle_async_request(request)

    async with Http(transport=Leading(marketplace, lambda _, content, headers: (content, headers))) as http:
        found = await verify_marketplace(http, "http://market.test")
    assert [text for text in found.findings if text.startswith("/help: ") and finding in text], found.findings


async def test_a_page_in_a_code_that_its_header_does_not_say_is_found(marketplace: Marketplace) -> None:
    """To browsers, a byte order mark counts for more than the header."""

    def change(path: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        evil = content.decode().replace("<h1>", "<script src=/evil.js></script><h1>").encode("utf-16")
        return (evil if path == "/help" else content), headers

    assert "/help: it is not UTF-8" in (await compared(marketplace, change)).findings


@pytest.mark.parametrize("path", ["/apiary", "/static/evil", "/api/evil"])
async def test_a_page_is_read_wherever_a_link_leads(marketplace: Marketplace, path: str) -> None:
    evil = {"content-type": "text/html; charset=utf-8"}

    class Linking(Changing):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == path:
                return httpx.Response(200, headers=evil, text="<script>alert(1)</script>")
            return await super().handle_async_request(request)

    link = f"<a href={path}>x</a>".encode()
    async with Http(transport=Linking(marketplace, in_pages(b"<h1>", link + b"<h1>"))) as http:
        found = await verify_marketplace(http, "http://market.test")
    assert f"{path}: a script is written into the page" in found.findings


async def test_pages_that_were_linked_and_not_read_are_counted(marketplace: Marketplace) -> None:
    links = b"".join(b"<a href=/search?page=%d>x</a>" % number for number in range(1, 60))
    found = await compared(marketplace, in_pages(b"<h1>", links + b"<h1>"))
    assert found.holds
    assert found.unread >= 30
    assert (await compared(marketplace)).unread == 0


async def test_origins_that_pages_may_call_are_listed(marketplace: Marketplace) -> None:
    def change(_: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        policy = headers.get("content-security-policy", "")
        headers["content-security-policy"] = policy.replace(
            "connect-src 'self'", "connect-src 'self' https://thief.test"
        )
        return content, headers

    assert "https://thief.test" in (await compared(marketplace, change)).called
    assert "https://thief.test" not in (await compared(marketplace)).called


async def test_a_script_that_was_changed_is_found(marketplace: Marketplace) -> None:
    name = min(bundles())

    def change(path: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        return (content + b" " if path == f"/static/{name}" else content), headers

    found = await compared(marketplace, change)
    assert [text for text in found.findings if name in text and "another script" in text]
    assert name not in found.scripts


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("script-src 'self'", "script-src 'self' 'unsafe-inline'", "script-src"),
        ("script-src 'self'", "script-src 'self'; script-src-elem *", "script-src-elem"),
        ("default-src 'none'", "script-src *; default-src 'none'", "script-src"),
        ("require-trusted-types-for 'script'; ", "", "require-trusted-types-for"),
        ("base-uri 'none'", "base-uri *", "base-uri"),
        ("default-src 'none'", "script-src\t*; default-src 'none'", "script-src"),
        ("default-src 'none'", "default-src\xa0 'none'", "default-src"),
        ("connect-src 'self'", "connect-src *", "connect-src"),
        ("connect-src 'self'", "connect-src 'self' https:", "connect-src"),
        ("connect-src 'self'", "connect-src 'self' https://*.test", "connect-src"),
        ("connect-src 'self'", "x 'self'", "connect-src"),
        ("form-action 'self'", "form-action *", "form-action"),
        ("frame-ancestors 'none'", "frame-ancestors *", "frame-ancestors"),
        ("frame-src 'none'", "frame-src https://thief.test", "frame-src"),
        ("style-src 'self'", "style-src 'self' 'unsafe-inline'", "style-src"),
        ("img-src 'self'", "img-src 'self' https://tracker.test", "img-src"),
    ],
)
async def test_a_policy_that_allows_others_is_found(marketplace: Marketplace, old: str, new: str, finding: str) -> None:
    def change(path: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        policy = headers.get("content-security-policy", "")
        assert path != "/" or old in policy
        return content, headers | {"content-security-policy": policy.replace(old, new)}

    found = await compared(marketplace, change)
    assert [text for text in found.findings if finding in text], found.findings


async def test_frames_that_a_page_makes_itself_are_those_of_the_release(marketplace: Marketplace) -> None:
    def change(_: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        policy = headers.get("content-security-policy", "")
        return content, headers | {"content-security-policy": policy.replace("frame-src 'none'", "frame-src blob:")}

    assert (await compared(marketplace, change)).holds


async def test_another_release_is_not_called_a_good_one(marketplace: Marketplace) -> None:
    marketplace.renderer.static_files.files.clear()
    found = await compared(marketplace)
    assert not found.holds
    assert found.scripts == []


async def test_a_server_that_is_away_is_no_verdict() -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with Http(transport=httpx.MockTransport(away)) as http:
        with pytest.raises(InsituError) as caught:
            await verify_marketplace(http, "http://market.test")
    assert caught.value.code == "PeerUnavailable"
