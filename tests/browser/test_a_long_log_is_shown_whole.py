"""A log of 100,000 lines, and one whose provider goes away in the middle."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Page, expect

from insitu.testing.provider import ProviderProcess
from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, sign_in
from tests.browser.wallet import Wallet
from tests.market import Market, open_provider

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

LINES = 100_000
LONG = f"for number in range({LINES}):\n    print('line', number, '<b>&amp;</b>')\n"
SLOWLY = "import time\nfor number in range(60):\n    print('line', number, flush=True)\n    time.sleep(0.2)\n"
MOST_HEAP = 100_000_000

# As people would write it without thinking: an element for each line.
PLAIN_LIST = """
count => {
  const list = document.createElement('pre')
  for (let number = 0; number < count; number += 1) {
    const line = document.createElement('div')
    line.textContent = `line ${number} <b>&amp;</b>`
    list.append(line)
  }
  document.body.replaceChildren(list)
  return list.scrollHeight
}
"""


LAID_OUT = """
() => {
  const chunks = [...document.querySelectorAll('.chunk code')]
  return [chunks.filter(chunk => chunk.checkVisibility({ contentVisibilityAuto: true })).length, chunks.length]
}
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """A provider of its own, because a test restarts it."""
    with open_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


async def measured(page: Page) -> dict[str, float]:
    """Return what the browser counts for the page, after its garbage is gone."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await session.send("HeapProfiler.collectGarbage")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


async def test_a_hundred_thousand_lines_are_searched_saved_and_cheap(
    page: Page, wallet: Wallet, market: Market, tmp_path: Path
) -> None:
    agreement, execution = await market.run(LONG)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("100,000 lines, complete.")).to_be_visible(timeout=SLOW)
    ours = await measured(page)

    await page.get_by_role("button", name="Last line").click()
    await expect(page.locator(".chunk").last).to_be_in_viewport()
    laid_out, chunks = await page.evaluate(LAID_OUT)
    assert chunks == LINES / 500
    assert 0 < laid_out < chunks / 10
    await page.get_by_role("searchbox", name="Search the log").fill("LINE 77777 ")
    await expect(page.get_by_text("1 of 100,000 lines match.")).to_be_visible()
    await expect(page.locator("mark")).to_have_text("line 77777")
    assert await page.locator(".chunk").get_attribute("data-n") == "77,778"
    async with page.expect_download() as saving:
        await page.get_by_role("region", name="Log").locator("..").get_by_role("button", name="Download").click()
    saved = tmp_path / "log.txt"
    await (await saving.value).save_as(saved)
    assert saved.read_text() == "".join(f"line {number} <b>&amp;</b>\n" for number in range(LINES))

    await page.goto(f"{market.provider.url}/help")
    await page.evaluate(PLAIN_LIST, LINES)
    plain = await measured(page)
    assert ours["JSHeapUsedSize"] < MOST_HEAP
    assert ours["Nodes"] < plain["Nodes"] / 20
    assert ours["LayoutObjects"] < plain["LayoutObjects"] / 20


async def test_a_provider_that_restarts_in_the_middle_loses_and_repeats_no_line(
    page: Page, wallet: Wallet, market: Market, pages: Pages
) -> None:
    pages.allow("ERR_|Failed to load resource")
    agreement = await market.buy(SLOWLY)
    execution = await market.consumer.compute.execute(agreement.id)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("line 3")).to_be_visible(timeout=SLOW)
    await anyio.to_thread.run_sync(market.provider.restart)
    await expect(page.get_by_text("lines, complete.")).to_be_visible(timeout=SLOW)
    # A stage that was interrupted begins again, which the log says; either way no line is missing and none comes twice.
    whole = [f"line {number}" for number in range(60)]
    *interrupted, last = (await page.locator(".chunk code").text_content() or "").split("— stage 0 began again")
    assert last.split("\n")[-60:] == whole
    assert not interrupted or whole[: len(interrupted[0].split("\n")) - 1] == interrupted[0].split("\n")[:-1]
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    assert wallet.counted == {"connect": 1, "text": 1}
