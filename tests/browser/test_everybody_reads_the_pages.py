"""Search, assets and accounts in Chromium: without JavaScript, while typing, on a phone, and as lines to copy."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.async_api import Page, expect

from insitu.sdk.publishing import Asset
from tests.browser.chromium import DARK, NO_JAVASCRIPT, PHONE, ZOOMED, Pages
from tests.market import Market
from tests.marketplace.hostile_texts import HOSTILE

pytestmark = [pytest.mark.needs("chromium", "docs", "chain", "oci", "root"), pytest.mark.slow]

Axe = Callable[[Page], Awaitable[None]]


async def offered(market: Market, name: str, **offer: Any) -> Asset:
    """A data set that a search finds."""
    asset = await market.dataset(name, **offer)
    await market.publisher.metadata.status(asset.did, wait=20)
    return asset


async def test_a_reader_without_javascript_searches_narrows_reads_and_goes_back(pages: Pages, market: Market) -> None:
    asset = await offered(market, "Tides at the quay", tags=["sea"], description="Height of the **tide**.")
    await offered(market, "Tides in the harbour", tags=["harbour"])
    page = await pages.open(NO_JAVASCRIPT)
    await page.goto(f"{market.provider.url}/search")
    await page.get_by_label("Find data").fill("tides")
    await page.get_by_role("button", name="Find data").click()
    await expect(page.get_by_role("status")).to_have_text("2 data sets for “tides”")
    await page.get_by_role("navigation", name="Narrow the list").get_by_role("link", name="sea").click()
    await expect(page.get_by_role("status")).to_have_text("1 data set for “tides”, sea")
    narrowed = page.url
    await page.get_by_role("link", name="Tides at the quay").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tides at the quay")
    await expect(page.locator(".text strong")).to_have_text("tide")
    await expect(page.locator(".wall")).to_contain_text("Any algorithm.")

    await market.publisher.assets.update_asset(asset.did, {"author": "the office of the quay"})
    await page.reload()
    await page.get_by_role("row", name="1 ").get_by_role("link", name="1", exact=True).click()
    await expect(page.get_by_text("You read version 1.")).to_be_visible()
    await page.get_by_role("link", name="The current one is version 2").click()
    await expect(page.get_by_text("2, shown here")).to_be_visible()
    for _ in range(3):
        await page.go_back()
    assert page.url == narrowed
    await expect(page.get_by_role("status")).to_have_text("1 data set for “tides”, sea")


async def test_the_list_follows_what_a_person_types(page: Page, market: Market) -> None:
    await offered(market, "Glaciers of the north")
    await page.goto(f"{market.provider.url}/search?sort=newest")
    field = page.get_by_label("Find data")
    await field.press_sequentially("glaciers")
    await expect(page.get_by_role("status")).to_have_text("1 data set for “glaciers”")
    await expect(page.get_by_role("link", name="Glaciers of the north")).to_be_visible()
    await expect(field).to_be_focused()
    assert page.url.endswith("/search?text=glaciers&sort=newest")
    await field.press_sequentially(" of nowhere")
    await expect(page.get_by_text("Nothing listed fits all of this.")).to_be_visible()
    await page.get_by_role("link", name="Leave out “nowhere”").click()
    await expect(page.get_by_role("link", name="Glaciers of the north")).to_be_visible()
    await page.go_back()
    await expect(field).to_have_value("glaciers of nowhere")


async def test_a_did_is_copied_with_a_button_that_needs_a_script(page: Page, pages: Pages, market: Market) -> None:
    asset = await offered(market, "Words to copy")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{market.provider.url}/assets/{asset.did}")
    await page.get_by_role("button", name="Copy the DID").click()
    await expect(page.get_by_role("button", name="Copied the DID")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == asset.did
    without = await pages.open(NO_JAVASCRIPT)
    await without.goto(page.url)
    await expect(without.get_by_role("button", name="Copy")).to_have_count(0)


async def test_readers_of_screens_and_phones_get_all_of_it(pages: Pages, market: Market, axe: Axe) -> None:
    asset = await offered(market, "Words for everybody", description="# Rows\n\n* one\n* two")
    owner = market.publisher.account
    for settings in ((), (DARK,), (PHONE,), (ZOOMED,)):
        page = await pages.open(*settings)
        for address in ("/search", "/search?text=nothing+at+all", f"/assets/{asset.did}", f"/accounts/{owner}"):
            await page.goto(market.provider.url + address)
            await axe(page)
            width = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert width <= 0, f"{address} is {width} px too wide"


async def test_a_hostile_document_runs_nothing_and_loads_nothing(page: Page, market: Market) -> None:
    short = [text for text in HOSTILE if len(text) < 200 and text.isprintable()]
    members = {"description": "\n\n".join(short), "tags": short[:20], "author": short[2], "license": short[9]}
    asset = await offered(market, short[5] + " tears", use=short[1], categories=short[:3], **members)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda _: pytest.fail("a script of a document ran"))
    for address in (f"/assets/{asset.did}", "/search?text=tears", f"/accounts/{market.publisher.account}", "/"):
        await page.goto(market.provider.url + address, wait_until="load")
        assert await page.locator("img, iframe, object, embed, style, base, main form:not(.find)").count() == 0
    assert all(url.startswith((market.provider.url, "data:image/svg+xml")) for url in asked), asked


async def test_the_lines_of_a_page_work_as_they_stand(page: Page, market: Market, tmp_path: Path) -> None:
    asset = await offered(market, "Words to count")
    (tmp_path / "count.py").write_text("import pathlib\npathlib.Path('/mnt/output/out.txt').write_text('done')\n")
    await page.goto(f"{market.provider.url}/assets/{asset.did}")
    lines = {
        language: await page.locator("details", has_text=language).locator("code").first.text_content() or ""
        for language in ("Command line", "Python")
    }
    bin_ = Path(sys.executable).parent
    environment = {**os.environ, "INSITU_HOME": str(market.provider.home), "PATH": f"{bin_}:{os.environ['PATH']}"}
    environment |= {"INSITU_ACCOUNT": "consumer"}
    typed = lines["Command line"].replace("insitu run", "insitu run --yes")  # nobody is there to confirm the price
    for command in (["sh", "-ec", typed], [sys.executable, "-c", lines["Python"].replace('"out/"', '"python/"')]):
        done = await anyio.run_process(command, cwd=tmp_path, env=environment, check=False)
        assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "out" / "out.txt").read_text() == "done"
    assert (tmp_path / "python" / "out.txt").read_text() == "done"
