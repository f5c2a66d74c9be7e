"""Answers that do not begin, stop, break off or never end: a page says so, goes on, and buys nothing twice."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import anyio
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, sign_in
from tests.browser.running import BUY, choose_script, open_run
from tests.browser.test_lying_servers_open_no_wallet import CHECK, open_workflow
from tests.browser.wallet import Wallet
from tests.market import PAID, UNPAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

HEAD = b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: %s\r\n"
KINDS = {"events": b"text/event-stream"}
MINUTE = 61_000
MOST_MINUTES = 10
TWO_LINES = "print('first line', flush=True)\nprint('last line', flush=True)\n"


class BrokenServer:
    """Answers by its path: ``/nothing``, ``/stall``, ``/cut``, ``/endless``, or ``/events``, which stalls as well."""

    def __init__(self) -> None:
        self.asked = 0
        self.waiting = 0
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Misbehave until the browser goes away."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            what = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode().strip("/")
            self.asked += 1
            if what != "nothing":
                writer.write(HEAD % KINDS.get(what, b"application/json"))
                writer.write(b"\r\n: hello\n\n" if what == "events" else b"Content-Length: 99999999\r\n\r\n[1")
            while what == "endless":
                writer.write(b", 1" * 20_000)
                await writer.drain()
            if what != "cut":
                self.waiting += 1
                await reader.read()
                self.waiting -= 1
        writer.close()


@pytest.fixture
async def broken() -> AsyncIterator[BrokenServer]:
    made = BrokenServer()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


def instead(broken: BrokenServer, what: str) -> Callable[[Route], Awaitable[None]]:
    """Let the broken server answer."""

    async def answer(route: Route) -> None:
        await route.continue_(url=f"{broken.url}/{what}")

    return answer


async def wait_minutes(page: Page, broken: BrokenServer, until: Callable[[], Awaitable[int]]) -> None:
    """Let minutes pass in the page while it waits for the broken server, until something is there."""
    passed = 0
    with anyio.fail_after(60):
        while not await until():
            if broken.waiting:
                assert passed < MOST_MINUTES, "the page waits without end"
                passed += 1
                await page.clock.fast_forward(MINUTE)
            await anyio.sleep(0.2)


@pytest.mark.parametrize("what", ["nothing", "stall", "cut", "endless"])
async def test_a_price_that_does_not_come_is_said_and_asked_for_again(
    page: Page, pages: Pages, wallet: Wallet, market: Market, broken: BrokenServer, what: str
) -> None:
    pages.allow("Failed to load resource|ERR_")
    workflow, before = await market.workflow(), await market.balances()
    await page.clock.install()
    await page.route(CHECK, instead(broken, what))
    await open_workflow(page, market.provider.url, workflow.did)
    again = page.get_by_role("button", name="Ask again")
    await wait_minutes(page, broken, again.count)
    await expect(page.get_by_role("alert").filter(has_text="PeerUnavailable").first).to_be_visible()
    assert 1 <= broken.asked <= 4
    await page.unroute(CHECK)
    await again.click()
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    assert wallet.counted == {"connect": 1}
    assert await market.changes(before) == UNPAID


async def test_answers_to_a_purchase_and_a_start_that_are_lost_buy_and_start_once(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    pages.allow("Failed to load resource|ERR_")
    data, before = await market.dataset(), await market.balances()
    executions = {view.workflow_execution_id for view in await market.consumer.compute.executions()}
    lost: set[str] = set()

    async def lose(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if route.request.method == "POST" and name not in lost:
            lost.add(name)
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route(re.compile("/services/(agreements|exec|execute|compute/exec)$"), lose)
    await open_run(page, pages, market, data.did)
    printed = await choose_script(page)
    await page.get_by_role("button", name=BUY).click()
    await page.wait_for_url(re.compile("/executions/"), timeout=SLOW)
    await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert len(lost) == 2
    assert wallet.counted == {"connect": 1, "text": 1, "Registrations": 1, "Permit": 1, "Terms": 1}
    assert await market.changes(before) == PAID
    now = {view.workflow_execution_id for view in await market.consumer.compute.executions()}
    assert len(now - executions) == 1


async def test_a_stream_that_stalls_is_left_and_the_log_is_whole(
    page: Page, pages: Pages, wallet: Wallet, market: Market, broken: BrokenServer
) -> None:
    pages.allow("Failed to load resource|ERR_")
    agreement, execution = await market.run(TWO_LINES)
    await page.clock.install()
    await page.route("**/compute/stream/**", instead(broken, "events"), times=1)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await wait_minutes(page, broken, page.get_by_text("2 lines, complete.").count)
    assert broken.asked == 1
    assert wallet.counted == {"connect": 1, "text": 1}


@pytest.mark.parametrize("what", ["nothing", "stall", "cut", "endless"])
async def test_a_file_that_does_not_come_whole_is_not_saved_and_can_be_fetched_again(
    page: Page, pages: Pages, wallet: Wallet, market: Market, broken: BrokenServer, what: str
) -> None:
    pages.allow("Failed to load resource|ERR_")
    agreement, execution = await market.run()
    await page.clock.install()
    await page.route("**/download/did:*/*", instead(broken, what))
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    download = page.get_by_role("button", name="Download out.txt")
    await download.click(timeout=SLOW)
    await wait_minutes(page, broken, page.get_by_text("Not saved.").count)
    await page.unroute("**/download/did:*/*")
    async with page.expect_download() as saving:
        await download.click()
    assert (await (await saving.value).path()).read_text() == "done"
