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
        return httpx.Response(answer.status_code, content=content, headers=headers)


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
    ],
)
async def test_a_policy_that_allows_others_is_found(marketplace: Marketplace, old: str, new: str, finding: str) -> None:
    def change(path: str, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        policy = headers.get("content-security-policy", "")
        assert path != "/" or old in policy
        return content, headers | {"content-security-policy": policy.replace(old, new)}

    found = await compared(marketplace, change)
    assert [text for text in found.findings if finding in text], found.findings


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
