"""A newcomer has no wallet, no coin and no command line: from the home page to a running execution."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids
from tests.browser.running import BUY, UNKNOWN_PUBLICATION, choose_script
from tests.market import PAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

WALLET = "The development wallet asks"


async def test_from_the_home_page_to_a_running_execution(page: Page, pages: Pages, market: Market) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    await market.dataset("Words of a newcomer")
    before = await market.balances()
    await page.goto(market.provider.url)
    await expect(page.get_by_text("everybody knows the keys")).to_be_visible()
    await page.get_by_role("link", name="Words of a newcomer").first.click()
    await page.get_by_role("link", name="Run on this data set").click()
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await page.get_by_role("button", name="Use insitu development wallet").click()
    await page.get_by_role("dialog", name=WALLET).get_by_role("button", name="Connect").click()
    await expect(page.get_by_label("Development wallet: you are")).to_have_value("consumer")
    printed = await choose_script(page)
    await page.get_by_role("button", name=BUY).click()

    dialog = page.get_by_role("dialog", name=WALLET)
    await expect(dialog).to_contain_text("wants you to sign in with your Ethereum account")
    await dialog.get_by_role("button", name="Sign").click()
    await expect(dialog.get_by_role("row", name=re.compile(r"items\.1\.checksum"))).to_be_visible(timeout=SLOW)
    await dialog.get_by_role("button", name="Sign").press("Enter")
    await expect(dialog.get_by_role("row", name="value 14")).to_be_visible(timeout=SLOW)
    await dialog.get_by_role("button", name="Sign").press("Enter")
    await expect(dialog.get_by_role("row", name=re.compile("amounts.0"))).to_be_visible(timeout=SLOW)
    await dialog.get_by_role("button", name="Sign").press("Enter")

    await ids(page)
    await expect(page.get_by_text(printed)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == PAID


async def test_escape_is_no_and_another_role_is_another_account(page: Page, pages: Pages, market: Market) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    data = await market.dataset()
    await page.goto(f"{market.provider.url}/run?on={data.did}")
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await page.get_by_role("button", name="Use insitu development wallet").click()
    await expect(page.get_by_role("dialog", name=WALLET)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("You said no in the wallet")).to_be_visible()
    await page.get_by_role("button", name="Use insitu development wallet").click()
    await page.get_by_role("dialog", name=WALLET).get_by_role("button", name="Connect").click()
    await expect(page.get_by_role("link", name=re.compile("Account 0x15d3"))).to_be_visible()
    await page.get_by_label("Development wallet: you are").select_option("second-consumer")
    await expect(page.get_by_role("link", name=re.compile("Account 0x"))).not_to_have_accessible_name(
        re.compile("0x15d3"), timeout=SLOW
    )
    await choose_script(page)
