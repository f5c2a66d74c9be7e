"""The pictures in the documents are taken from the pages: INSITU_PICTURES=1 writes them again."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.chromium import Pages
from tests.marketplace.gallery import STATES, running_gallery
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("chromium", "node", "demo", "docs"), pytest.mark.slow, pytest.mark.timeout(600)]

SIZE = {"width": 1100, "height": 800}
PICTURES = {"marketplace.png": "asset: listed"}
"""File in docs/, and the state that it shows."""


async def test_each_picture_shows_a_page_as_it_is_named(pages: Pages, tmp_path: Path) -> None:
    page = await pages.open({"viewport": SIZE})
    with running_gallery(tmp_path) as address:
        for name, state in PICTURES.items():
            number = [str(one) for one in STATES].index(state)
            await page.goto(f"{address}/states/{number}")
            taken = Image.open(io.BytesIO(await page.screenshot())).convert("RGB").quantize(128)
            if os.environ.get("INSITU_PICTURES"):
                taken.save(ROOT / "docs" / name, optimize=True)
            # Fonts differ from one machine to another, so only what must be the same is compared.
            with Image.open(ROOT / "docs" / name) as kept:
                assert kept.size == taken.size
            assert f"({'docs/' + name})" in (ROOT / "README.md").read_text()
