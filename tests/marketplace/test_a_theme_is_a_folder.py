"""Name, logo, colours and texts come from a folder; what would spoil pages is refused at the start."""

import re
from pathlib import Path

import httpx
import pytest

from insitu.domain.errors import InsituError
from insitu.marketplace.rendering import Renderer
from insitu.marketplace.static_files import FOLDER, StaticFiles
from insitu.marketplace.theme import DARK, LIGHT, contrast, read_theme
from tests.doubles.catalogue import CatalogueDouble, GatewaysDouble
from tests.marketplace.conftest import application, build

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
GOOD = """
name = "Data <of> the north"
logo = "logo.svg"
[light]
accent = "#0b5d4a"
[dark]
accent = "#7ad6bd"
[texts]
title = "The <north>"
lead = "For researchers."
foot = "Run by the data office"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "theme.toml").write_text(GOOD)
    (tmp_path / "logo.svg").write_bytes(LOGO)
    return tmp_path


async def test_pages_have_its_name_colours_texts_and_logo(
    folder: Path, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    theme, logo = read_theme(folder)
    assert logo is not None
    marketplace = build(catalogue, gateways, name=theme.name, texts=theme.texts)
    files = StaticFiles(extra_style=theme.style(), logo=(theme.logo or "", logo))
    marketplace.renderer = Renderer(marketplace.site, files)
    transport = httpx.ASGITransport(application(marketplace))
    async with httpx.AsyncClient(transport=transport, base_url="http://market.test") as http:
        page = (await http.get("/")).text
        assert "Data &lt;of&gt; the north" in page
        assert "The &lt;north&gt;" in page
        assert "Run by the data office" in page
        style = (await http.get(marketplace.renderer.static_files.style)).text
        assert style.count("--accent: #0b5d4a") == 1
        assert style.rindex("--accent: #7ad6bd") > style.rindex("--accent: #0b5d4a")
        (source,) = re.findall(r'<img src="(/static/logo-[^"]+)"', page)
        picture = await http.get(source)
    assert picture.content == LOGO
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-security-policy"].startswith("default-src 'none'"), "its scripts never run"


def test_a_light_colour_does_not_hold_in_the_dark(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('[light]\naccent = "#0b5d4a"\n')
    style = read_theme(tmp_path)[0].style()
    assert style.index("#0b5d4a") < style.index(f"--accent: {DARK['accent']}")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('[light]\naccent = "#fefefe"\n', "has a contrast of"),
        ('[dark]\nink = "#222222"\n', "has a contrast of"),
        ('[light]\naccent = "red; } body { display: none"\n', "light.accent"),
        ('[light]\nsize = "#000000"\n', "light.size"),
        ('logo = "../secret.svg"\n', "logo"),
        ('logo = "logo.html"\n', "logo"),
        ('logo = "missing.svg"\n', "cannot be read"),
        ('[texts]\nscript = "x"\n', "texts.script"),
        ("name = \n", "theme.toml"),
    ],
)
def test_what_would_spoil_pages_is_refused(tmp_path: Path, text: str, detail: str) -> None:
    (tmp_path / "theme.toml").write_text(text)
    with pytest.raises(InsituError) as caught:
        read_theme(tmp_path)
    assert caught.value.code == "SettingsInvalid"
    assert detail in caught.value.detail


def test_a_folder_without_a_theme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InsituError, match="cannot be read"):
        read_theme(tmp_path)


def test_a_logo_that_is_too_large_is_refused(folder: Path) -> None:
    (folder / "logo.svg").write_bytes(b" " * 70_000)
    with pytest.raises(InsituError, match="a logo may have"):
        read_theme(folder)


def test_the_colours_that_a_theme_changes_are_those_of_the_stylesheet() -> None:
    style = (FOLDER / "style.css").read_text()
    light, dark = style.split("@media print")[0].split("@media (prefers-color-scheme: dark)", 1)
    for part, colours in ((light, LIGHT), (dark, DARK)):
        found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", part))
        long = {name: f"#{value[1] * 2}{value[2] * 2}{value[3] * 2}" if len(value) == 4 else value
                for name, value in found.items()}  # fmt: skip
        assert {name: long[name] for name in colours} == colours


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
