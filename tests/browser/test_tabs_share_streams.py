"""Many tabs watch a provider with few connections: one leads, the others hear it, and nothing is lost or doubled."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, Page, Request

from insitu.adapters.keys.dev import _KEYS
from insitu.sdk.execution import Execution
from tests.browser.chromium import Pages, until
from tests.browser.sites import Site
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SCRIPT = (Path(__file__).parent / "scripts" / "following.js").read_text("utf-8")
COUNTING = "import itertools, time\nfor n in itertools.count():\n    print(n, flush=True)\n    time.sleep(0.05)\n"


class Connections:
    """The streams that the tabs of a window have open now."""

    def __init__(self, context: BrowserContext) -> None:
        self.open: list[Request] = []
        self.most = 0
        context.on("request", self._began)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)
        context.on("page", lambda tab: tab.on("close", self._closed))

    def _began(self, request: Request) -> None:
        if "/compute/stream/" in request.url or "/compute/events" in request.url:
            self.open.append(request)
            self.most = max(self.most, len(self.open))

    def _ended(self, request: Request) -> None:
        if request in self.open:
            self.open.remove(request)

    def _closed(self, tab: Page) -> None:
        self.open = [request for request in self.open if request.frame.page is not tab]

    @property
    def leader(self) -> Page:
        """The tab with the one connection."""
        (request,) = self.open
        return request.frame.page


@asynccontextmanager
async def counting(market: Market) -> Iterator[Execution]:
    """An execution that prints numbers until it is stopped."""
    agreement = await market.buy(COUNTING)
    execution = await market.consumer.compute.execute(agreement.id)
    try:
        yield execution
    finally:
        await execution.stop()
        await execution.wait(60)


async def watch(context: BrowserContext, site: Site, market: Market, account: str, execution: Execution | None) -> Page:
    """Open a tab that follows an execution, or everything that happens."""
    asked = {"gateway": market.provider.url, "secret": _KEYS[account]}
    if execution is not None:
        asked |= {"agreement": execution.agreement_id, "execution": execution.execution_id}
    tab = await context.new_page()
    await tab.goto(f"{site.page('following', SCRIPT)}?{urlencode(asked)}")
    return tab


async def show(tab: Page, state: str) -> None:
    """Hide a tab or bring it to the front, as far as its page can tell."""
    await tab.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        state,
    )


async def further(tab: Page, lines: int = 3) -> None:
    """Wait until a tab has some more lines."""
    present = await tab.evaluate("seen.text.length")
    await until(tab, f"seen.text.length > {present + 2 * lines}")


async def test_eight_tabs_have_one_connection_and_the_ninth_page_loads(
    pages: Pages, site: Site, market: Market
) -> None:
    context = (await pages.open()).context
    connections = Connections(context)
    async with counting(market) as execution:
        tabs = [await watch(context, site, market, "consumer", execution) for _ in range(8)]
        for tab in tabs:
            await further(tab)
        assert (len(connections.open), connections.most) == (1, 1)
        ninth = await context.new_page()
        answer = await ninth.goto(market.provider.url + "/")
        assert answer is not None
        assert answer.ok

        tabs.remove(connections.leader)
        await connections.leader.close()
        for tab in tabs:
            await further(tab)
        assert len(connections.open) == 1
        assert await connections.open[0].header_value("last-event-id"), "it goes on where the other one stopped"

        leader = connections.leader
        await show(leader, "hidden")
        for tab in tabs:
            await further(tab)
        assert connections.leader is not leader
        for tab in tabs:
            await show(tab, "hidden")
        await tabs[0].wait_for_timeout(200)
        assert connections.open == [], "nobody looks"
        await show(tabs[0], "visible")
        await further(tabs[0])

    printed = "".join([piece.text async for piece in execution.logs(follow=False)])
    for tab in tabs:
        await show(tab, "visible")
        await until(tab, "seen.ended")
        seen = await tab.evaluate("seen")
        assert seen["text"] == printed
        assert seen["ids"] == list(dict.fromkeys(seen["ids"])), "nothing came twice"


async def test_a_tab_that_comes_late_has_everything_from_the_beginning(
    pages: Pages, site: Site, market: Market
) -> None:
    context = (await pages.open()).context
    connections = Connections(context)
    async with counting(market) as execution:
        first = await watch(context, site, market, "consumer", execution)
        await further(first, 20)
        late = await watch(context, site, market, "consumer", execution)
        await further(late, 20)
        assert connections.most == 1
    for tab in (first, late):
        await until(tab, "seen.ended")
    assert await first.evaluate("seen.text") == await late.evaluate("seen.text")


async def test_streams_of_several_accounts_take_turns(pages: Pages, site: Site, market: Market) -> None:
    context = (await pages.open()).context
    connections = Connections(context)
    accounts = ("consumer", "owner", "second-consumer", "second-owner", "stranger", "spare", "second-spare")
    tabs = {account: await watch(context, site, market, account, None) for account in accounts}
    for tab in tabs.values():
        await until(tab, "seen.began")
    assert connections.most in {3, 4}, "one of them begins while the browser is still ending another one"
    await market.run()
    for account in ("consumer", "owner"):
        await until(tabs[account], "seen.events > 3")
    assert connections.most in {3, 4}
