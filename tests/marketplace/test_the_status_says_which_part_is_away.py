"""The status page answers although others do not, and does not ask them for every visitor."""

import httpx
import pytest

from insitu.domain.errors import InsituError
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.service import Marketplace
from insitu.marketplace.site import Site
from insitu.marketplace.status import StatusReader
from tests.doubles.catalogue import CATALOGUE, GATEWAY, CatalogueDouble, GatewaysDouble

OTHER = "http://other.test"


def reader(catalogue: CatalogueDouble, gateways: GatewaysDouble) -> StatusReader:
    site = Site(origin="http://market.test", catalogue=CATALOGUE, gateways=(GATEWAY, OTHER), version="0")
    return StatusReader(site, Catalogue(catalogue, CATALOGUE), gateways, deadline=0.05)


async def test_everything_answers(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.pending = 3
    page = (await browser.get("/status")).text
    assert "Every part answers." in page
    assert "block 214, 0 behind" in page
    assert "3 documents wait" in page


async def test_a_catalogue_that_is_behind_says_by_how_much(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    catalogue.block = 4
    page = (await browser.get("/status")).text
    assert "The catalogue has 210 blocks to read." in page


async def test_a_catalogue_that_is_away_leaves_the_page(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.error = InsituError("PeerUnavailable", "away")
    answer = await browser.get("/status")
    assert answer.status_code == 200
    assert "Does not answer" in answer.text


@pytest.mark.parametrize("way", ["silent", "slow"])
async def test_a_gateway_that_is_away_or_slow_does_not_hide_the_others(
    way: str, catalogue: CatalogueDouble, gateways: GatewaysDouble
) -> None:
    getattr(gateways, way).add(GATEWAY)
    seen = await reader(catalogue, gateways).read()
    assert seen.catalogue is not None
    assert [gateway.info is not None for gateway in seen.gateways] == [False, True]
    assert not seen.is_well


async def test_visitors_cannot_make_it_ask_as_often_as_they_like(
    marketplace: Marketplace, catalogue: CatalogueDouble
) -> None:
    for _ in range(5):
        await marketplace.status.read()
    assert catalogue.asked.count("health") == 1
