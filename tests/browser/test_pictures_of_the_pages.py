"""The pictures in the documents are taken from the pages: INSITU_PICTURES=1 writes them again."""

import io
import os
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.async_api import FloatRect

from tests.browser.chromium import Pages
from tests.browser.personal import SLOW
from tests.marketplace.gallery import STATES, running_gallery
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("chromium", "node", "demo", "docs"), pytest.mark.slow, pytest.mark.timeout(600)]

SIZE = {"width": 1100, "height": 800}
PICTURES = {
    "marketplace.png": ("README.md", "docs/marketplace.png", "asset: listed"),
    "publishing.png": ("docs/how-to/offer-a-data-set.md", "../publishing.png", "publication/data: rules"),
}
"""File in docs/, the document that shows it, as what, and the state of a template or of an element."""


async def test_each_picture_shows_a_page_as_it_is_named(pages: Pages, tmp_path: Path) -> None:
    page = await pages.open({"viewport": SIZE})
    with running_gallery(tmp_path) as address:
        for name, (document, link, state) in PICTURES.items():
            if "/" in state:
                await page.goto(f"{address}/elements#{quote(state)}")
                # The frame of the gallery is no part of the page.
                box = await page.locator("#gallery > *").bounding_box(timeout=SLOW)
                assert box is not None
                clip = {"x": 0.0, "y": box["y"] - 12, "width": float(SIZE["width"]), "height": float(SIZE["height"])}
                shot = await page.screenshot(full_page=True, clip=cast("FloatRect", clip))
            else:
                await page.goto(f"{address}/states/{[str(one) for one in STATES].index(state)}")
                shot = await page.screenshot()
            taken = Image.open(io.BytesIO(shot)).convert("RGB").quantize(128)
            if os.environ.get("INSITU_PICTURES"):
                taken.save(ROOT / "docs" / name, optimize=True)
            # Fonts differ from one machine to another, so only what must be the same is compared.
            with Image.open(ROOT / "docs" / name) as kept:
                assert kept.size == taken.size
            assert f"({link})" in (ROOT / document).read_text()
