"""A person runs what they bought, watches, downloads, and keeps a receipt that anybody can check."""

import hashlib
import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW, ids, sign_in
from tests.browser.wallet import Wallet
from tests.market import SETTLED, Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SCRIPT = """
import base64, pathlib, time
print('one <b>line</b> \\u202egnp.exe', flush=True)
time.sleep(1)
print('last line', flush=True)
out = pathlib.Path('/mnt/output')
(out / 'table.csv').write_text('name,number\\n"a, b",1\\n<script>alert(1)</script>,2\\n')
(out / 'bomb.png').write_bytes(b'\\x89PNG\\r\\n\\x1a\\n\\0\\0\\0\\rIHDR' + (60000).to_bytes(4, 'big') * 2 + bytes(9))
(out / 'dot.png').write_bytes(base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='))
"""


async def test_from_granted_to_a_verified_receipt(
    page: Page, wallet: Wallet, market: Market, pages: Pages, tmp_path: Path
) -> None:
    agreement = await market.buy(SCRIPT)
    before = await market.balances()
    await sign_in(page, f"{market.provider.url}/agreements/{agreement.id}")
    await expect(page.get_by_text("Nothing ran yet. The first success is charged")).to_be_visible(timeout=SLOW)
    await page.get_by_role("button", name="Run", exact=True).click()

    _, execution = await ids(page)
    await expect(page.get_by_text("one <b>line</b> \\u202egnp.exe")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("its hash is on chain")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("Settled on chain.")).to_be_visible()
    await expect(page.get_by_text("2 lines, complete.")).to_be_visible()
    assert await market.changes(before) == SETTLED
    assert wallet.counted == {"connect": 1, "text": 1}

    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Download table.csv").click()
    saved = tmp_path / "table.csv"
    await (await saving.value).save_as(saved)
    await expect(page.get_by_text(hashlib.sha256(saved.read_bytes()).hexdigest()[:58])).to_be_attached()
    table = page.get_by_role("row").filter(has_text="table.csv")
    await expect(table.get_by_text("Its hash was compared while it came")).to_be_visible()

    await page.get_by_role("button", name="Show table.csv").click()
    shown = page.frame_locator("iframe[title='Preview of table.csv']")
    await expect(shown.get_by_role("cell", name="<script>alert(1)</script>")).to_be_visible()
    await expect(shown.get_by_role("columnheader", name="number")).to_be_visible()
    await expect(page.get_by_text("60000 × 60000 points, too many to show here")).to_be_visible()
    await page.get_by_role("button", name="Show dot.png").click()
    picture = page.frame_locator("iframe[title='Preview of dot.png']").get_by_role("img", name="dot.png")
    assert await picture.evaluate("image => image.naturalWidth") == 1
    assert [await frame.get_attribute("sandbox") for frame in await page.locator("iframe").all()] == ["", ""]

    async with page.expect_download() as saving:
        await page.get_by_role("button", name="Download all").click()
    await (await saving.value).save_as(tmp_path / "all.zip")
    with ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("table.csv") == saved.read_bytes()

    await page.get_by_role("button", name="Read or print the receipt").click()
    await expect(page.get_by_text("checks hold")).to_be_visible()
    await expect(page.get_by_text(f"{execution[:22]}")).to_be_attached()
    await expect(page.get_by_text("The provider signed that this run succeeded")).to_be_visible()


async def test_a_reload_and_another_tab_show_the_same_without_another_signature(
    page: Page, wallet: Wallet, market: Market
) -> None:
    agreement, execution = await market.run(SCRIPT)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("2 lines, complete.")).to_be_visible(timeout=SLOW)
    await page.reload()
    await expect(page.get_by_text("2 lines, complete.")).to_be_visible(timeout=SLOW)
    printed = await page.locator(".chunk code").text_content()
    assert printed == "one <b>line</b> \\u202egnp.exe\nlast line"
    assert wallet.counted == {"connect": 1, "text": 1}


async def test_a_receipt_is_checked_without_a_connection(page: Page, market: Market, pages: Pages) -> None:
    _, execution = await market.run()
    receipt = (await execution.receipt()).model_dump(mode="json", by_alias=True)
    await page.goto(f"{market.provider.url}/receipts")
    await page.context.set_offline(True)
    content = json.dumps(receipt).encode()
    await page.locator("#receipt-file").set_input_files({"name": "receipt.json", "mimeType": "", "buffer": content})
    await expect(page.get_by_text("checks hold")).to_be_visible()
    changed = content.replace(b'"receiptHash": "0x', b'"receiptHash": "0y', 1)
    await page.locator("#receipt-file").set_input_files({"name": "receipt.json", "mimeType": "", "buffer": changed})
    await expect(page.get_by_role("alert")).to_contain_text("this check failed: the hash stated beside it is its own")
