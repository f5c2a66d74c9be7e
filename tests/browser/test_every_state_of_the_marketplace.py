"""Chromium looks at every component in every state: accessible, within its policy, and readable at 320 px."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.async_api import Page

from tests.browser.axe import assert_accessible
from tests.browser.chromium import Pages
from tests.marketplace.gallery import STATES, elements_in, running_gallery

pytestmark = [pytest.mark.needs("chromium", "node"), pytest.mark.slow, pytest.mark.timeout(600)]

NARROW = {"viewport": {"width": 320, "height": 640}}
"""1280 px at 400 %."""
_CONTRAST = """
async () => (await axe.run(document, { runOnly: ['color-contrast'] })).violations.flatMap(({ nodes }) =>
  nodes.map(({ target, any }) => `${target.join(' ')}: ${any[0].message}`))
"""
_WIDER = """
() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [...document.querySelectorAll('body *')].filter(found => found.getBoundingClientRect().right > innerWidth + 1)
    .map(found => found.outerHTML.slice(0, 100)).slice(0, 3)
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_gallery(tmp_path_factory.mktemp("gallery")) as address:
        yield address


async def look(page: Page, address: str) -> list[str]:
    """What is wrong with a page: in a list, so that one state does not hide another."""
    await page.emulate_media(color_scheme="light")
    await page.goto(address)
    wrong = [f"is wider than 320 px: {found}" for found in await page.evaluate(_WIDER)]
    try:
        await assert_accessible(page)
    except AssertionError as error:
        wrong.append(str(error))
    await page.emulate_media(color_scheme="dark")
    return wrong + [f"in the dark {found}" for found in await page.evaluate(_CONTRAST)]


async def test_what_the_server_renders(gallery: str, pages: Pages) -> None:
    page = await pages.open(NARROW)
    wrong = []
    for number, state in enumerate(STATES):
        wrong += [f"{state}: {found}" for found in await look(page, f"{gallery}/states/{number}")]
    assert not wrong, "\n".join(wrong)


async def test_what_elements_show(gallery: str, pages: Pages) -> None:
    page = await pages.open(NARROW)
    await page.goto(f"{gallery}/elements")
    known = elements_in(await page.locator("#gallery[data-names]").get_attribute("data-names") or "[]")
    assert known
    wrong = []
    for component, state in known:
        await page.goto("about:blank")  # another fragment alone would load nothing
        address = f"{gallery}/elements#{quote(component)}/{quote(state)}"
        wrong += [f"{component}: {state}: {found}" for found in await look(page, address)]
        if await page.locator("#gallery > *").count() == 0:
            wrong.append(f"{component}: {state} shows nothing")
    assert not wrong, "\n".join(wrong)
