"""With the keyboard alone, a person runs what they bought to a receipt and a file, and an owner publishes data."""

import re
import uuid

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import STILL, Pages
from tests.browser.keyboard import follow, press, reach, require_focus
from tests.browser.personal import SLOW, ids
from tests.browser.running import UNKNOWN_PUBLICATION
from tests.browser.wallet import Wallet
from tests.market import SETTLED, UPPER, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]


async def sign_in(page: Page, url: str) -> None:
    """Open a personal page, and sign in."""
    await page.goto(url, timeout=SLOW)
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=SLOW)
    await press(page, "^Sign in$")
    await expect(page.get_by_role("button", name="Use Test wallet")).to_be_visible(timeout=SLOW)
    await press(page, "^Use Test wallet$")
    await expect(page.get_by_role("button", name="Sign in")).to_have_count(0, timeout=SLOW)


async def write(page: Page, label: str, text: str) -> None:
    """Type into a field."""
    await reach(page, label)
    await page.keyboard.type(text)


async def test_what_is_bought_is_run_and_downloaded_from_the_list_of_agreements(
    pages: Pages, wallet: Wallet, market: Market
) -> None:
    agreement, before = await market.buy(UPPER), await market.balances()
    page = await pages.open(STILL)
    await sign_in(page, f"{market.provider.url}/agreements")
    card = page.locator(f"#agreement-{agreement.id}")
    await expect(card).to_be_visible(timeout=SLOW)
    address = str(await card.get_by_role("heading").get_by_role("link").get_attribute("href"))
    await reach(page, "", at=address)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{address}")
    await expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible(timeout=SLOW)
    await press(page, "^Run$")

    await ids(page)
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == SETTLED
    async with page.expect_download() as saving:
        await press(page, "^Download out.txt$")
    assert (await saving.value).suggested_filename == "out.txt"
    await expect(page.get_by_text("Its hash was compared while it came")).to_be_visible(timeout=SLOW)
    await require_focus(page, "out.txt$")
    await follow(page, "^Read or print the receipt$", "/receipts")
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)


async def test_an_owner_publishes_a_data_set(pages: Pages, make_wallet: type[Wallet], market: Market) -> None:
    pages.allow(UNKNOWN_PUBLICATION)
    await pages.install(make_wallet("owner"))
    page = await pages.open(STILL)
    await sign_in(page, f"{market.provider.url}/publish/data")
    await write(page, "^Name$", f"words {uuid.uuid4().hex[:8]}")
    await write(page, "^What it is", "Words, one a line.")
    await press(page, "^Go on: Files$")
    await require_focus(page, "^Files$")
    await press(page, "^Show the folders of the provider$")
    await expect(page.get_by_role("button", name=re.compile("^Open "))).to_be_visible(timeout=SLOW)
    await press(page, "^Open ")
    await expect(page.get_by_role("button", name="Choose words.txt")).to_be_visible(timeout=SLOW)
    await press(page, "^Choose words.txt$")
    await expect(page.get_by_role("heading", name="Chosen: 1 entry")).to_be_visible()
    await press(page, "^Go on: Rules$")
    await require_focus(page, "^Rules$")
    await reach(page, "^StrongestOnly algorithms that I name")
    for rule in ("Every algorithm of publishers", "Weakest ?Anything"):
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("radio", name=re.compile(rule))).to_be_checked()
        await require_focus(page, rule)
    await write(page, "^Kinds of files", ".txt")
    await press(page, "^Go on: Price$")
    await require_focus(page, "^Price$")
    await write(page, "^Price of an agreement", "0")
    await press(page, "^Go on: Check and sign$")
    await expect(page.get_by_role("button", name="Make the exact document")).to_be_visible(timeout=SLOW)
    await press(page, "^Make the exact document$")
    await expect(page.get_by_role("button", name="Sign and publish")).to_be_visible(timeout=SLOW)
    await press(page, "^Sign and publish$")
    await expect(page.get_by_role("link", name="See it as others see it")).to_be_visible(timeout=SLOW)
    await follow(page, "^See it as others see it$", "/assets/did:nv:")
