"""What may run, what may leave, states and stages are chosen on pages: each choice of a search is an address."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import NO_JAVASCRIPT, Pages
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "docs", "chain", "oci", "root"), pytest.mark.slow]

LOG = """
() => {
  const log = document.createElement('insitu-log')
  document.querySelector('main').replaceChildren(log)
  const piece = (stage, offset, text) => log.add({ stage, attempt: 0, offset, text })
  piece(0, 0, 'read the flights\\n')
  return new Promise(done => requestAnimationFrame(() => {
    const before = document.querySelectorAll('#log-stage').length
    piece(1, 0, 'count the flights\\nwrite the table\\n')
    log.kind = 'complete'
    requestAnimationFrame(() => done(before))
  }))
}
"""


async def test_a_search_is_narrowed_by_rules_and_by_state(pages: Pages, market: Market) -> None:
    trusted = {"algorithms": (), "publishers": [market.publisher.account], "logs": "none"}
    anything = await market.dataset("Narrowed open")
    strict = await market.dataset("Narrowed strict", output={"types": [".csv", ".png"]}, **trusted)
    past = await market.dataset("Narrowed past")
    for asset in (anything, strict, past):
        await market.publisher.metadata.status(asset.did, wait=20)
    await market.publisher.assets.retire(past.did)

    page = await pages.open(NO_JAVASCRIPT)
    await page.goto(f"{market.provider.url}/search?text=narrowed")
    count, facets = page.get_by_role("status"), page.get_by_role("navigation", name="Narrow the list")
    await expect(count).to_have_text("2 data sets for “narrowed”")
    await facets.get_by_role("link", name=".png").click()
    await expect(count).to_have_text("1 data set for “narrowed”, .png")
    await facets.get_by_role("link", name="Algorithms of trusted publishers").click()
    assert page.url.endswith("/search?text=narrowed&may_run=publishers&may_leave=.png")
    await expect(page.get_by_role("link", name="Narrowed strict")).to_be_visible()

    await page.goto(f"{market.provider.url}/search?text=narrowed")
    await facets.get_by_role("link", name="Retired").click()
    await expect(count).to_have_text("1 data set for “narrowed”, retired")
    await expect(page.get_by_role("listitem").filter(has_text="Narrowed past")).to_contain_text("Retired on")


async def test_a_log_of_several_stages_is_read_stage_by_stage(page: Page, market: Market) -> None:
    await page.goto(f"{market.provider.url}/executions/{'a' * 64}/wx{'a' * 26}")
    await page.evaluate("() => customElements.whenDefined('insitu-log').then(() => undefined)")
    assert await page.evaluate(LOG) == 0, "one stage needs no choice"
    await expect(page.get_by_text("3 lines, complete.")).to_be_visible()
    await page.get_by_role("combobox", name="Stage").select_option("Stage 1")
    await expect(page.get_by_text("2 of 3 lines match.")).to_be_visible()
    await expect(page.locator(".chunk")).to_have_text("count the flights\nwrite the table")
    await page.get_by_role("searchbox", name="Search the log").fill("flights")
    await expect(page.get_by_text("1 of 3 lines match.")).to_be_visible()
    await page.get_by_role("combobox", name="Stage").select_option("All stages")
    await expect(page.get_by_text("2 of 3 lines match.")).to_be_visible()
