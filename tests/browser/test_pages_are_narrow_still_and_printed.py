"""Every page at 400 %, for whoever wants nothing to move, and on paper."""

import pytest
from playwright.async_api import expect

from tests.browser.chromium import PRINT, STILL, ZOOMED, Pages
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

PATHS = (
    "/", "/search", "/help", "/security", "/status", "/receipts", "/account", "/agreements", "/executions", "/publish",
    "/desk", "/no/such/page",
)  # fmt: skip


async def test_every_page_at_400_percent_scrolls_in_one_direction(pages: Pages, market: Market) -> None:
    pages.allow("status of 404")
    page = await pages.open(ZOOMED)
    for path in PATHS:
        await page.goto(market.provider.url + path, wait_until="load")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{path} is {wider} px too wide"


async def test_pages_are_still_for_whoever_asks_for_it_and_print_without_controls(pages: Pages, market: Market) -> None:
    pages.allow("status of 404")
    page = await pages.open(STILL, PRINT)
    for path in PATHS:
        await page.goto(market.provider.url + path, wait_until="load")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await page.evaluate("document.getAnimations().length") == 0
        assert await page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
        for button in await page.locator("nav, button, .btn, .chain").all():
            assert not await button.is_visible(), f"{path} prints {await button.text_content()}"
