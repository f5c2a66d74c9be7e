"""A first visit over a slow connection with a slow processor: what comes, when it can be read, and what moves."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession, Page

from tests.browser.chromium import until
from tests.browser.wallet import Wallet

LINE = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000, "offline": False}
"""Milliseconds, and bytes per second: 1.6 Mbit/s."""
SLOWER = 4
NOT_OURS = ["*/development/*"]
"""A development machine also offers a wallet, which no other page has."""

_WATCH = """
ready => {
  const seen = window.visited = { painted: 0, moved: 0, ready: 0 }
  const observe = (type, add) =>
    new PerformanceObserver(list => list.getEntries().forEach(add)).observe({ type, buffered: true })
  observe('largest-contentful-paint', ({ startTime }) => { seen.painted = startTime })
  observe('layout-shift', ({ value, hadRecentInput, sources }) => {
    if (hadRecentInput) return
    seen.moved += value
    seen.what = sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.textContent)
  })
  if (!ready) return
  const look = () => { if (!seen.ready && document.querySelector(ready)) seen.ready = performance.now() }
  const all = { subtree: true, childList: true, characterData: true, attributes: true }
  new MutationObserver(look).observe(document, all)
}
"""

_BEGUN = """
[
  performance.getEntriesByType('resource').filter(e => !visited.ready || e.startTime < visited.ready).map(e => e.name),
  [...document.querySelectorAll('link[href], script[src]')].map(element => element.href || element.src),
]
"""


@dataclass(frozen=True)
class Visit:
    """What one visit took.

    Attributes
    ----------
    size
        Bytes that came, headers included: of the page, its style and its scripts.
    requests
        The addresses of these, in the order in which they came.
    painted
        Milliseconds until the largest paint (LCP).
    moved
        How much moved by itself (CLS).
    ready
        Milliseconds until the element that was named stood in the page; 0 if none was named.
    begun
        The addresses of scripts and of calls of an API that began before that, as the page counts them; a page that is
        read, of all.
    named
        The addresses that the document itself names: they begin together, and each other one waits for a script.
    """

    size: int
    requests: tuple[str, ...]
    painted: float
    moved: float
    ready: float
    what: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def calls(self) -> list[str]:
        """The calls of an API that began before the page was ready."""
        return [urlsplit(url).path for url in self.begun if urlsplit(url).path.startswith("/api/")]

    @property
    def late(self) -> list[str]:
        """The scripts that the page needed before it was ready, and that the document does not name."""
        ours = (url for url in self.begun if urlsplit(url).path.startswith("/static/"))
        return [url for url in ours if url not in self.named]


@asynccontextmanager
async def _empty_page(browser: Browser) -> AsyncIterator[tuple[Page, CDPSession]]:
    context = await browser.new_context()
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.setBlockedURLs", {"urls": NOT_OURS})
    try:
        yield page, session
    finally:
        await context.close()


async def visit(browser: Browser, address: str, ready: str = "", wallet: Wallet | None = None) -> Visit:
    """Open an address with nothing in the cache; with a wallet, as somebody who signed in in this tab before.

    Parameters
    ----------
    ready
        A selector of what the visitor waits for; without it, the page is loaded.
    """
    async with _empty_page(browser) as (page, session):
        await page.add_init_script(f"({_WATCH})({json.dumps(ready)})")
        if wallet is not None:
            await _remember(page.context, wallet, address)
            await page.goto(address)
            await until(page, "visited.ready", 60)
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await session.send("Network.emulateNetworkConditions", LINE)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        came = _Came(session, address)
        await page.goto(address, wait_until="load")
        if ready:
            await until(page, "visited.ready", 60)
        await page.wait_for_load_state("networkidle") if not ready else None
        # Two frames: what was laid out last has been painted, and the browser has said so.
        await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seen: dict[str, Any] = await page.evaluate("visited")
        begun, named = await page.evaluate(_BEGUN)
    what = tuple(seen.get("what", ()))
    times = seen["painted"], seen["moved"], seen["ready"]
    return Visit(came.size, tuple(came.addresses), *times, what, tuple(begun), tuple(named))


async def _remember(context: BrowserContext, wallet: Wallet, address: str) -> None:
    await wallet.install(context)
    wallet.connect(address)
    account = json.dumps({"rdns": wallet.info["rdns"], "address": wallet.address})
    await context.add_init_script(f"sessionStorage.setItem('insitu.account', {json.dumps(account)})")


class _Came:
    """Adds up what comes of a page: its document, style, scripts and pictures, and no answers of an API."""

    def __init__(self, session: CDPSession, address: str) -> None:
        self.size = 0
        self.addresses: list[str] = []
        self._origin = urlsplit(address)[:2]
        self._open: dict[str, str] = {}
        session.on("Network.responseReceived", self._began)
        session.on("Network.loadingFinished", self._finished)

    def _began(self, event: dict[str, Any]) -> None:
        url = event["response"]["url"]
        if urlsplit(url)[:2] == self._origin and not urlsplit(url).path.startswith("/api/"):
            self._open[event["requestId"]] = url

    def _finished(self, event: dict[str, Any]) -> None:
        if (url := self._open.pop(event["requestId"], None)) is not None:
            self.addresses.append(url)
            self.size += int(event["encodedDataLength"])
