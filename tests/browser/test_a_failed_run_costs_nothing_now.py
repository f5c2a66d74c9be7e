"""What a person sees when a run fails, is stopped, or is not wanted any more, and where the money is then."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.personal import SLOW, ids, sign_in
from tests.browser.wallet import Wallet
from tests.market import LOCKED, SETTLED, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

BROKEN = "import sys\nprint('about to fail', flush=True)\nsys.exit(3)\n"
ENDLESS = "import time\nprint('going on', flush=True)\ntime.sleep(600)\n"
BACK = tuple(-amount for amount in LOCKED)


async def test_a_failed_run_says_why_and_what_next(page: Page, wallet: Wallet, market: Market) -> None:
    agreement, execution = await market.run(BROKEN)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("The algorithm ended with an error.")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Failed in Executing")).to_be_visible()
    await expect(page.get_by_text("Nothing now", exact=True)).to_be_visible()
    await expect(page.get_by_text("AlgorithmFailed")).to_be_visible()
    await expect(page.get_by_text("about to fail")).to_be_visible()
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    assert await page.locator("tr.f").count() == 1


async def test_a_stopped_run_says_so_at_once(page: Page, wallet: Wallet, market: Market) -> None:
    agreement = await market.buy(ENDLESS)
    execution = await market.consumer.compute.execute(agreement.id)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("going on")).to_be_visible(timeout=SLOW)
    await page.get_by_text("Stop this run…").click()
    await expect(page.get_by_text("It ends at once and nothing leaves.")).to_be_visible()
    await page.get_by_role("button", name="Stop it now").click()
    await expect(page.get_by_text("Stopped by you")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Its consumer stopped this run, so nothing left.")).to_be_visible()


async def test_closing_shows_what_comes_back_and_returns_it(page: Page, wallet: Wallet, market: Market) -> None:
    agreement = await market.buy()
    before = await market.balances()
    await sign_in(page, f"{market.provider.url}/agreements/{agreement.id}")
    await page.get_by_role("button", name="What comes back?").click(timeout=SLOW)
    await expect(page.get_by_text("Closing now costs nothing")).to_be_visible()
    await page.get_by_role("button", name=re.compile("Close it and get .* back")).click()
    await expect(page.get_by_text("It was closed early, and the whole price came back.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == BACK


async def test_lists_follow_what_happens_without_a_reload(page: Page, wallet: Wallet, market: Market) -> None:
    agreement = await market.buy()
    await sign_in(page, f"{market.provider.url}/executions")
    await expect(page.get_by_text("What you ran, newest first.")).to_be_visible(timeout=SLOW)
    execution = await market.consumer.compute.execute(agreement.id)
    row = page.locator(f"#{execution.execution_id}")
    await expect(row.get_by_text("Succeeded")).to_be_visible(timeout=SLOW)
    await page.goto(f"{market.provider.url}/agreements")
    card = page.get_by_role("listitem").filter(has_text=agreement.id[:58])
    await expect(card.get_by_text("Paid by its first success.")).to_be_visible(timeout=SLOW)
    await card.get_by_role("button", name="Run again, free").click()
    bought, again = await ids(page)
    assert (bought, again) != (agreement.id, execution.execution_id)
    await expect(page.get_by_text("Nothing more", exact=True)).to_be_visible(timeout=SLOW)
    assert wallet.counted == {"connect": 1, "text": 1}


async def test_a_failing_script_is_corrected_and_succeeds_under_the_same_agreement(
    page: Page, wallet: Wallet, market: Market
) -> None:
    agreement, execution = await market.run(BROKEN)
    before = await market.balances()
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await page.get_by_role("link", name="Correct the script").click(timeout=SLOW)
    script = {"name": "run.py", "mimeType": "text/x-python", "buffer": b"print('corrected')\n"}
    await page.get_by_label("Corrected script").set_input_files(script, timeout=SLOW)
    await page.get_by_role("button", name="Publish the correction and run it").click()
    bought, again = await ids(page)
    assert bought == agreement.id
    assert again != execution.execution_id
    await expect(page.get_by_text("corrected")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible(timeout=SLOW)
    assert await market.changes(before) == SETTLED
