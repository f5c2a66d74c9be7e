"""What tests of the page of a run do again and again: choose a wallet and a script, and press the button."""

import uuid

from playwright.async_api import Page, expect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW
from tests.market import Market

BUY = "Sign and run for 0.000000000000000014 NVM"
SCRIPT = "import pathlib\nprint('hello {mark}', flush=True)\npathlib.Path('/mnt/output/out.txt').write_text('{mark}')\n"
UNKNOWN_PUBLICATION = "status of 404"
"""Chromium reports each 404 in the console; a page that asks whether a script is published already gets one."""


def script() -> tuple[str, dict[str, object]]:
    """A script that nobody has published, and what it prints."""
    mark = uuid.uuid4().hex
    return f"hello {mark}", {
        "name": "count.py",
        "mimeType": "text/x-python",
        "buffer": SCRIPT.format(mark=mark).encode(),
    }


async def open_run(page: Page, pages: Pages, market: Market, did: str) -> None:
    """Open the page of a run on a data set with the wallet of the test, which is asked for its address only."""
    pages.allow(UNKNOWN_PUBLICATION)
    await page.goto(f"{market.provider.url}/run?on={did}")
    await page.get_by_role("main").get_by_role("button", name="Choose a wallet").click()
    await page.get_by_role("button", name="Use Test wallet").click()


async def choose_script(page: Page) -> str:
    """Choose a new script, wait for the verdict, and return what it will print."""
    printed, file = script()
    await page.get_by_label("Script", exact=True).set_input_files(files=file)  # type: ignore[arg-type]
    await expect(page.get_by_role("button", name=BUY)).to_be_visible(timeout=SLOW)
    return printed
