"""A page of a stranger's site, with a wallet and the SDK, from a price to a verified receipt at a real provider."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.sites import Site
from tests.browser.wallet import Wallet
from tests.market import PAID, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SCRIPT = (Path(__file__).parent / "scripts" / "buying.js").read_text("utf-8")
BODY = '<button type="button">Run</button> <output aria-live="polite"></output>'


async def test_a_page_buys_runs_downloads_and_verifies_with_four_prompts(
    page: Page, wallet: Wallet, site: Site, market: Market
) -> None:
    workflow, before = await market.workflow(), await market.balances()
    await page.goto(site.page("buying", SCRIPT, BODY) + f"?{_query(market, workflow.did)}")
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("receipt holds", timeout=60_000)
    told = json.loads(await page.get_by_role("status").get_attribute("data-told") or "")
    assert (told["printed"], told["files"]) == ("hello\n", {"logs/console.log": "hello\n", "out.txt": "done"})
    assert wallet.counted == {"connect": 1, "Permit": 1, "Terms": 1, "text": 1}
    assert await market.changes(before) == PAID


async def test_a_person_who_says_no_has_bought_nothing_and_may_press_again(
    page: Page, wallet: Wallet, site: Site, market: Market
) -> None:
    workflow, before = await market.workflow(), await market.balances()
    await page.goto(site.page("buying", SCRIPT, BODY) + f"?{_query(market, workflow.did)}")
    wallet.refuse("Terms")
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("RejectedByUser", timeout=60_000)
    assert await market.changes(before) == (0, 0, 0, 0)
    await page.get_by_role("button", name="Run").click()
    await expect(page.get_by_role("status")).to_contain_text("receipt holds", timeout=60_000)
    assert await market.changes(before) == PAID


def _query(market: Market, workflow: str) -> str:
    chain = market.consumer.chain
    registry, template = chain.contract("DIDRegistry"), chain.contract("ServiceExecutionTemplate")
    contracts = f"{chain.agreements.chain_id},{registry},{template}"
    return f"gateway={market.provider.url}&workflow={workflow}&contracts={contracts}"
