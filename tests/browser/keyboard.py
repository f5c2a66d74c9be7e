"""What tests of journeys by keyboard alone do: go to a control with Tab, see that it has the focus, and press it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.browser.personal import SLOW

MOST = 150
"""So many controls may stand before the one that somebody wants."""
FOCUSED = """
() => {
  const at = document.activeElement
  if (at === null || at === document.body) return { name: '', isShown: true, html: '' }
  const { outlineStyle, outlineWidth } = getComputedStyle(at)
  const { top, bottom } = at.getBoundingClientRect()
  return {
    name: (at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent ?? '').trim(),
    isShown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && top < innerHeight && bottom > 0,
    isInDialog: at.closest('dialog') !== null,
    html: at.outerHTML.slice(0, 200),
  }
}
"""


async def reach(page: Page, name: str, key: str = "Tab", at: str = "") -> None:
    """Press Tab until a control has the focus whose name and HTML are these; each on the way shows that it has it."""
    passed = []
    for _ in range(MOST):
        await page.keyboard.press(key)
        found = await page.evaluate(FOCUSED)
        assert found["isShown"], f"nobody sees that this has the focus: {found}"
        passed.append(found["name"][:40])
        if re.search(name, found["name"]) and at in found["html"]:
            return
    pytest.fail(f"Tab does not come to {name!r}, but to {passed}")


async def press(page: Page, name: str) -> None:
    """Go to a control, and press Enter."""
    await reach(page, name)
    await page.keyboard.press("Enter")


async def follow(page: Page, name: str, address: str) -> None:
    """Use what leads to another page as soon as it is there, and wait for that page."""
    leads = page.get_by_role("link", name=re.compile(name)).or_(page.get_by_role("button", name=re.compile(name)))
    await expect(leads.first).to_be_visible(timeout=SLOW)
    await press(page, name)
    await page.wait_for_url(re.compile(address))


async def require_focus(page: Page, name: str) -> None:
    """Fail if something else has the focus."""
    found = await page.evaluate(FOCUSED)
    assert re.search(name, found["name"]), found


@asynccontextmanager
async def choosing(page: Page, file: dict[str, object]) -> AsyncIterator[None]:
    """Answer the chooser of files that a key opens.

    Begin before going to the field: choosers are intercepted a moment after that is asked for, and cancelled before.
    """
    async with page.expect_file_chooser(timeout=SLOW) as opened:
        yield
    await (await opened.value).set_files(file)  # type: ignore[arg-type]
