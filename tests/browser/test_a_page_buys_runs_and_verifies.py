"""The example of a page without a bundler, with a wallet, from a price to a verified receipt at a real provider."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.sites import EXAMPLE, Site
from tests.browser.wallet import Wallet
from tests.market import PAID, UNPAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


async def fill(page: Page, site: Site, market: Market) -> None:
    """Open the page, and say what is to be run."""
    workflow = await market.workflow()
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto(site.url + EXAMPLE)
    await page.get_by_label("Provider").fill(market.provider.url)
    await page.get_by_label("Workflow").fill(workflow.did)


async def test_a_page_buys_runs_downloads_and_verifies_with_four_prompts(
    page: Page, wallet: Wallet, site: Site, market: Market
) -> None:
    await fill(page, site, market)
    before = await market.balances()
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("receipt holds", timeout=60_000)
    assert await page.locator("pre").inner_text() == "hello\n"
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="out.txt").click()
    assert (await (await downloading.value).path()).read_text() == "done"
    assert wallet.counted == {"connect": 1, "Permit": 1, "Terms": 1, "text": 1}
    assert await market.changes(before) == PAID


async def test_a_person_who_says_no_has_bought_nothing_and_may_press_again(
    page: Page, wallet: Wallet, site: Site, market: Market
) -> None:
    await fill(page, site, market)
    before = await market.balances()
    wallet.refuse("Terms")
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("the answer was no", timeout=60_000)
    assert await market.changes(before) == UNPAID
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("receipt holds", timeout=60_000)
    assert await market.changes(before) == PAID
