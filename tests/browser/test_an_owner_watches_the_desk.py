"""What an owner sees and does at the desk while others run on their data, and what a consumer sees of it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from insitu.domain.execution import Phase
from insitu.sdk.publishing import Asset
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, sign_in
from tests.browser.test_a_failed_run_costs_nothing_now import BROKEN, ENDLESS
from tests.browser.wallet import Wallet
from tests.market import PRICE, UPPER, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

GOT = f"0.{PRICE:018d}".rstrip("0") + " NVM"
PAUSED_NOW = "Pause and stop what runs"


@pytest.fixture
async def owner(pages: Pages, make_wallet: Callable[..., Wallet]) -> Wallet:
    """The wallet of the account that publishes, in every page of the test."""
    wallet = make_wallet("owner")
    await pages.install(wallet)
    return wallet


async def offer(market: Market, name: str) -> Asset:
    return await market.dataset(name, max_executions=5)


async def workflow(market: Market, dataset: Asset, source: str) -> str:
    return (await market.workflow(source, dataset)).did


def asset_row(page: Page, dataset: Asset) -> Locator:
    return page.locator(f"tr[id='{dataset.did}']")


async def change(page: Page, dataset: Asset, action: str) -> None:
    """Press a button of a data set, and wait until the wallet and the catalogue are done."""
    row = asset_row(page, dataset)
    button = row.get_by_role("button", name=re.compile(f"^{action}:"))
    if not await button.is_visible():
        await row.get_by_text("Change…").click(timeout=SLOW)
    await button.click(timeout=SLOW)
    await expect(button).to_have_count(0, timeout=SLOW)


async def test_an_owner_watches_stops_pauses_and_resumes(
    page: Page, pages: Pages, owner: Wallet, make_wallet: Callable[..., Wallet], market: Market, tmp_path: Path
) -> None:
    data = await offer(market, "watched at the desk")
    await sign_in(page, f"{market.provider.url}/desk")
    await expect(asset_row(page, data).get_by_text("Listed")).to_be_visible(timeout=SLOW)

    # The consumer buys and fails: nothing left, and nothing was earned.
    bought = await market.consumer.agreements.buy(await workflow(market, data, BROKEN))
    failed = await market.consumer.compute.execute(bought.id)
    row = page.locator(f"#{failed.execution_id}")
    await expect(row.get_by_text("Failed in Executing")).to_be_visible(timeout=SLOW)
    await expect(row.get_by_text("Holds", exact=True).or_(row.get_by_text("Not on chain yet"))).to_be_visible(
        timeout=SLOW
    )
    await expect(row.locator("[data-l=left]")).to_contain_text("nothing")
    await expect(row.get_by_text("version 1")).to_be_visible(timeout=SLOW)

    # They correct it under the same agreement, and the price is the owner's.
    corrected = tmp_path / "run.py"
    corrected.write_text(UPPER)
    succeeded = await market.consumer.revise(bought.id, corrected)
    row = page.locator(f"#{succeeded.execution_id}")
    await expect(row.get_by_text("Succeeded")).to_be_visible(timeout=SLOW)
    await expect(row.get_by_text("Holds", exact=True)).to_be_visible(timeout=SLOW)
    await expect(row.locator("[data-l=left]")).to_contain_text("2 files")
    await expect(row.locator("[data-l='you got']")).to_have_text(GOT)
    await expect(row.get_by_text("version 2")).to_be_visible(timeout=SLOW)

    # What runs is stopped at the desk, after a question.
    endless = await market.consumer.agreements.buy(await workflow(market, data, ENDLESS))
    running = await market.consumer.compute.execute(endless.id)
    card = page.locator(f"li#{running.execution_id}")
    await expect(card.get_by_text("Executing")).to_be_visible(timeout=SLOW)
    await expect(card.get_by_text("Nothing leaves, and the consumer pays nothing for it.")).to_be_visible()
    await card.get_by_text("Stop…").click()
    await card.get_by_role("button", name="Yes, stop it now").click()
    await expect(page.locator(f"tr#{running.execution_id}").get_by_text("Stopped", exact=True)).to_be_visible(
        timeout=SLOW
    )
    assert (await running.wait(30)).phase is Phase.STOPPED

    # A pause that stops what runs; the consumer sees both on their own page.
    again = await market.consumer.compute.execute(endless.id)
    await expect(page.locator(f"li#{again.execution_id}").get_by_text("Executing")).to_be_visible(timeout=SLOW)
    theirs = await pages.open()
    await make_wallet("consumer", name="Consumer wallet", rdns="consumer.test").install(theirs.context)
    await theirs.goto(f"{market.provider.url}/executions", timeout=SLOW)
    await theirs.get_by_role("button", name="Sign in").click(timeout=SLOW)
    await theirs.get_by_role("button", name="Use Consumer wallet").click(timeout=SLOW)
    await expect(theirs.locator(f"#{again.execution_id}").get_by_text("Executing")).to_be_visible(timeout=SLOW)
    await change(page, data, PAUSED_NOW)
    await expect(asset_row(page, data).get_by_text("Paused", exact=True)).to_be_visible(timeout=SLOW)
    await expect(asset_row(page, data).get_by_text("what runs is stopped")).to_be_visible()
    await expect(theirs.locator(f"#{again.execution_id}").get_by_text("StoppedByOwner")).to_be_visible(timeout=SLOW)
    assert not (await market.consumer.agreements.check(await workflow(market, data, UPPER))).allowed
    await change(page, data, "Resume")
    await expect(asset_row(page, data).get_by_text("Listed")).to_be_visible(timeout=SLOW)
    assert (await market.consumer.agreements.check(await workflow(market, data, UPPER))).allowed
