"""A newcomer with the keyboard alone, from the home page to a verified receipt."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import STILL, Pages
from tests.browser.personal import SLOW, ids
from tests.browser.running import BUY, UNKNOWN_PUBLICATION, open_run, script
from tests.browser.wallet import Wallet
from tests.market import PAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

MOST = 150
"""So many controls may stand before the one that somebody wants."""
FOCUSED = """
() => {
  const at = document.activeElement
  if (at === null || at === document.body) return { name: '', isShown: true }
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  const { top, bottom } = at.getBoundingClientRect()
  return {
    name: (at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent ?? '').trim(),
    isShown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && top < innerHeight && bottom > 0,
    isInDialog: at.closest('dialog') !== null,
    html: at.outerHTML.slice(0, 100),
  }
}
"""


async def reach(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab until a control has the focus whose name is this; each on the way shows that it has it."""
    passed = []
    for _ in range(MOST):
        await page.keyboard.press(key)
        found = await page.evaluate(FOCUSED)
        assert found["isShown"], f"nobody sees that this has the focus: {found}"
        passed.append(found["name"][:40])
        if re.search(name, found["name"]):
            return
    pytest.fail(f"Tab does not come to {name!r}, but to {passed}")


async def press(page: Page, name: str) -> None:
    """Go to a control, and press Enter."""
    await reach(page, name)
    await page.keyboard.press("Enter")


async def follow(page: Page, name: str, address: str) -> None:
    """Follow a link, and wait for its page."""
    await press(page, name)
    await page.wait_for_url(re.compile(address))


async def require_focus(page: Page, name: str) -> None:
    """Fail if something else has the focus."""
    found = await page.evaluate(FOCUSED)
    assert re.search(name, found["name"]), found


async def sign(page: Page, shows: str) -> None:
    """Let the development wallet sign what it shows; the rest of the page cannot be reached meanwhile."""
    dialog = page.get_by_role("dialog", name="The development wallet asks")
    await expect(dialog).to_contain_text(shows, timeout=SLOW)
    for _ in range(6):
        await page.keyboard.press("Tab")
        found = await page.evaluate(FOCUSED)
        assert found["name"] == "" or found["isInDialog"], found
    await press(page, "^(Sign|Connect)$")


@asynccontextmanager
async def choosing(page: Page, file: dict[str, object]) -> AsyncIterator[None]:
    """Answer the chooser of files that a key opens.

    Begin before going to the field: choosers are intercepted a moment after that is asked for, and cancelled before.
    """
    async with page.expect_file_chooser(timeout=SLOW) as opened:
        yield
    await (await opened.value).set_files(file)  # type: ignore[arg-type]


async def test_a_newcomer_needs_no_mouse_from_the_home_page_to_a_verified_receipt(pages: Pages, market: Market) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    page = await pages.open(STILL)  # what has the focus is in sight at once
    data = await market.dataset("Words by keyboard")
    await market.publisher.metadata.status(data.did, wait=20)
    before = await market.balances()
    await page.goto(market.provider.url)
    await press(page, "^Skip to the content$")
    await reach(page, "^Find data$")
    await page.keyboard.type("words by keyboard")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/search?*")
    await expect(page.get_by_role("link", name="Words by keyboard")).to_be_visible()
    await follow(page, "^Words by keyboard$", "/assets/")
    await follow(page, "^Run on this data set$", "/run")
    await expect(page.get_by_role("main").get_by_role("button", name="Choose a wallet")).to_be_visible()

    await press(page, "^Choose a wallet$")
    await expect(page.get_by_role("button", name="Use insitu development wallet")).to_be_visible()
    await press(page, "^Use insitu development wallet$")
    await expect(page.get_by_role("dialog", name="The development wallet asks")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("You said no in the wallet")).to_be_visible()
    await require_focus(page, "^Use insitu development wallet$")
    await page.keyboard.press("Escape")
    await require_focus(page, "^Choose a wallet$")
    await page.keyboard.press("Enter")
    await press(page, "^Use insitu development wallet$")
    await sign(page, "A page asks for your address")

    printed, file = script()
    await expect(page.get_by_label("Script", exact=True)).to_be_visible(timeout=SLOW)
    async with choosing(page, file):
        await press(page, "^Script$")
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    await press(page, f"^{re.escape(BUY)}$")
    for shows in ("sign in with your Ethereum account", "items.1.checksum", "spender", "amounts.0"):
        await sign(page, shows)

    await ids(page)
    await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    for loud in await page.locator("[role=status], [role=alert], [role=log], [aria-live]").all():
        assert printed not in (await loud.text_content() or ""), "a log is not read out"
    assert await page.locator("[role=log], [aria-live=assertive]").count() == 0
    await reach(page, "^Log, ")
    await page.keyboard.press("ArrowDown")
    await follow(page, "^Read or print the receipt$", "/receipts")
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == PAID


async def test_what_is_found_later_takes_no_field_from_the_keyboard(
    page: Page, pages: Pages, wallet: Wallet, market: Market
) -> None:
    data, found = await market.dataset("Words found late"), asyncio.Event()
    workflow = await market.workflow(dataset=data)
    await market.consumer.metadata.status(workflow.did, wait=20)

    async def late(route: Route) -> None:
        await found.wait()
        await route.continue_()

    await page.route("**/assets/ddo/query", late)
    await open_run(page, pages, market, data.did)
    await expect(page.get_by_label("Script", exact=True)).to_be_visible(timeout=SLOW)
    _, file = script()
    async with choosing(page, file):
        await reach(page, "^Script$")
        found.set()
        await expect(page.get_by_label("A workflow")).to_be_visible(timeout=SLOW)
        await expect(page.get_by_label("A published algorithm")).to_be_visible()
        await require_focus(page, "^Script$")
        await page.keyboard.press("Enter")
    await expect(page.get_by_label("How it is started")).to_have_value("python3 count.py")
