"""A newcomer with the keyboard alone, from the home page to a verified receipt."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chromium import STILL, Pages
from tests.browser.keyboard import FOCUSED, choosing, follow, press, reach, require_focus
from tests.browser.personal import SLOW, ids
from tests.browser.running import BUY, UNKNOWN_PUBLICATION, open_run, script
from tests.browser.wallet import Wallet
from tests.market import PAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


async def sign(page: Page, shows: str) -> None:
    """Let the development wallet sign what it shows; the rest of the page cannot be reached meanwhile."""
    dialog = page.get_by_role("dialog", name="The development wallet asks")
    await expect(dialog).to_contain_text(shows, timeout=SLOW)
    for _ in range(6):
        await page.keyboard.press("Tab")
        found = await page.evaluate(FOCUSED)
        assert found["name"] == "" or found["isInDialog"], found
    await press(page, "^(Sign|Connect)$")


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
    loud = await page.locator("[role=status], [role=alert], [role=log], [aria-live]").all_text_contents()
    assert printed not in str(loud), "a log is not read out"
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
