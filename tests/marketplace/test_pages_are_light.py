"""A first visit of a page that everybody reads: at most 40 kB in three requests, and no script is needed to read it."""

import gzip
import re

import httpx
import pytest

from insitu.marketplace.samples import STRICT, document
from insitu.marketplace.static_files import StaticFiles
from tests.doubles.catalogue import CatalogueDouble, summary

MOST_BYTES, MOST_REQUESTS, MOST_STYLE = 40_000, 3, 8_000
LOADED = re.compile(r'<link rel="(?:stylesheet|modulepreload)" href="([^"]+)"|<(?:script|img)[^>]* src="([^"]+)"')


@pytest.fixture
def listed(catalogue: CatalogueDouble) -> str:
    """Twenty data sets, a full page of a search; the DID of one."""
    for number in range(1, 21):
        content = document(policy=STRICT, number=number)
        catalogue.add(summary(number, did=content["id"]), content)
    return str(content["id"])


@pytest.mark.parametrize("path", ["/", "/search", "/assets/{did}", "/help", "/security", "/status", "/no/such/page"])
async def test_a_first_visit_is_at_most_40_kb_in_three_requests(
    browser: httpx.AsyncClient, listed: str, path: str
) -> None:
    page = await browser.get(path.format(did=listed))
    assert page.status_code == (404 if path == "/no/such/page" else 200)
    loaded = [first or second for first, second in LOADED.findall(page.text)]
    parts = [page.content, *[(await browser.get(address)).content for address in loaded]]
    assert len(parts) <= MOST_REQUESTS, loaded
    assert sum(len(gzip.compress(part, 5)) for part in parts) <= MOST_BYTES
    assert "<h1" in page.text


def test_the_stylesheet_has_at_most_8_kb() -> None:
    (style,) = [file for file in StaticFiles().files.values() if file.name.endswith(".css")]
    assert len(style.compressed) <= MOST_STYLE
