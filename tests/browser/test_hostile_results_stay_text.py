"""Files and logs of a hostile algorithm are text in the page of their run; nothing of them runs."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.personal import SLOW, sign_in
from tests.browser.wallet import Wallet
from tests.market import Market

pytestmark = [pytest.mark.needs("chromium", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

MARKUP = (
    "<!doctype html><script>alert(1)</script><img src=x onerror=alert(2)><base href=//phish.example><style>*{}</style>"
)
LONG = "long " + "n" * 200 + ".txt"
FILES = {
    "page.html": MARKUP,
    "picture.svg": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(3)'><script>alert(4)</script></svg>",
    "read me.md": f"# Title\n[click](javascript:alert(5)) {MARKUP} ![x](https://tracker.example/pixel.png)\n",
    "formula.csv": "name,value\n=HYPERLINK(A0),=cmd|' /C calc'!A0\n<script>alert(6)</script>,\u202egnp\n",
    "data.json": '{"__proto__": {"polluted": true}, "html": "</script><script>alert(7)</script>"}',
    "seen.log": "\x1b[31mred\x1b[0m \u202egnp.exe\x07 \x00 \u2028\n",
    "__proto__": "own",
    "constructor.txt": "own",
    "toString.csv": "a,b\n1,2\n",
    "' onmouseover='alert(8)'.txt": "own",
    "&lt;b&gt; ${7} {{7}}.txt": "own",
    LONG: "own",
}
WRITES = f"""
import pathlib
out = pathlib.Path('/mnt/output')
for name, text in {FILES!r}.items():
    (out / name).write_text(text, encoding='utf-8')
"""
PRINTS = """
import sys
print('\\x1b[31mred\\x1b[0m \\x1b]8;;https://phish.example\\x07link\\x1b]8;;\\x07 \\x1b[2J\\x1b[1;1H', flush=True)
print('\\u202egnp.exe \\u2066\\u2069 \\u200b \\x00 <img src=x onerror=alert(1)> </pre><script>alert(2)</script>')
print('over' + 'x' * 100 + '\\rwritten')
print('e' + '\\u0301' * 5000)
sys.stdout.write('w' * 5_000_000 + '\\n')
sys.stdout.write('\\n'.join(f'line {number}' for number in range(100_000)) + '\\n')
"""
UNSEEN = "\x00\x07\x1b\u200b\u2028\u202e\u2066\u2069"
NAMES = (
    "\u202egnp.exe",
    "bell\x07.txt",
    "new\nline.txt",
    "<img src=x onerror=alert(1)>.txt",
    "zero\u200bwidth.txt",
    "../up.txt".replace("/", "\\"),
    "n" * 250 + ".txt",
)


def nothing_runs(page: Page) -> None:
    """Fail if a script of a stranger runs, or anything is asked of a stranger."""
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.on("request", lambda request: "example" in request.url and pytest.fail(f"asked for {request.url}"))


async def test_files_are_listed_shown_and_saved_as_they_are(
    page: Page, wallet: Wallet, market: Market, tmp_path: Path
) -> None:
    nothing_runs(page)
    agreement, execution = await market.run(WRITES)
    await market.files(execution)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    rows = page.get_by_role("table", name="Files that left").get_by_role("row")
    await expect(rows).to_have_count(len(FILES) + 1, timeout=SLOW)
    shown = await page.locator("main").inner_text()
    assert not set(UNSEEN) & set(shown)
    for name in FILES:
        await expect(rows.locator(".mono").get_by_text(name[:200], exact=False).first).to_be_attached()
        show = page.get_by_role("button", name=f"Show {name[:200]}")
        if await show.count():
            await show.first.click()
    frames = page.locator("figure iframe")
    await expect(frames).to_have_count(9)
    assert {await frame.get_attribute("sandbox") for frame in await frames.all()} == {""}
    for frame in page.frames[1:]:
        assert await frame.locator("script, style, base, iframe, object, embed, a, form, svg, img").count() == 0
        assert not set(UNSEEN) & set(await frame.locator("body").inner_text())
    table = page.frame_locator("iframe[title='Preview of formula.csv']")
    await expect(table.get_by_role("cell", name="=HYPERLINK")).to_be_visible()
    text = page.frame_locator("iframe[title='Preview of read me.md']")
    await expect(text.get_by_text("[click](javascript:alert(5))")).to_be_visible()
    assert await page.evaluate("({}).polluted") is None

    for name in ("page.html", "__proto__", LONG):
        async with page.expect_download() as saving:
            await page.get_by_role("button", name=f"Download {name[:200]}").first.click()
        assert (await (await saving.value).path()).read_text("utf-8") == FILES[name]
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)


async def test_a_log_of_escapes_a_line_of_5_mb_and_100_000_more_is_text_that_can_be_searched(
    page: Page, wallet: Wallet, market: Market
) -> None:
    nothing_runs(page)
    agreement, execution = await market.run(PRINTS)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("lines, complete.")).to_be_visible(timeout=SLOW)
    log = page.locator("insitu-lines")
    first = await log.locator(".chunk").first.text_content() or ""
    assert "red" in first
    assert "<img src=x onerror=alert(1)> </pre><script>alert(2)</script>" in first
    assert not set(UNSEEN) & set(first)
    assert "\u0301" * 5 not in first
    assert await log.locator("script, img, a").count() == 0
    await page.get_by_role("searchbox", name="Search the log").fill("line 99999")
    await expect(page.locator("mark")).to_have_text("line 99999")
    await page.get_by_role("searchbox", name="Search the log").fill("")
    await page.get_by_role("button", name="Last line").click()
    await expect(page.locator(".chunk").last).to_be_in_viewport()
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)


async def test_names_that_no_system_should_store_end_the_run_and_are_shown_by_number(
    page: Page, wallet: Wallet, market: Market
) -> None:
    nothing_runs(page)
    writes = f"for name in {NAMES!r}:\n    open('/mnt/output/' + name, 'w').write('x')\n"
    agreement, execution = await market.run(writes)
    await sign_in(page, f"{market.provider.url}/executions/{agreement.id}/{execution.execution_id}")
    await expect(page.get_by_text("Nothing now", exact=True)).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("<img src=x onerror=alert(1)>.txt").first).to_be_visible()
    shown = await page.locator("main").text_content() or ""
    assert not set(UNSEEN) & set(shown)
    await expect(page.get_by_text("checks hold")).to_be_visible(timeout=SLOW)
