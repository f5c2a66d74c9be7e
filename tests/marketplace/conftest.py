"""A marketplace over a catalogue in memory, spoken to without a socket."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from insitu.api.app import build_app
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.rendering import Renderer
from insitu.marketplace.routes import page_of_failure, router
from insitu.marketplace.service import Marketplace
from insitu.marketplace.site import Site
from insitu.marketplace.static_files import StaticFiles
from tests.doubles.catalogue import CATALOGUE, GATEWAY, CatalogueDouble, GatewaysDouble


def build(catalogue: CatalogueDouble, gateways: GatewaysDouble, *, deadline: float = 5.0, **site: Any) -> Marketplace:
    given: dict[str, Any] = {
        "origin": "http://market.test",
        "catalogue": CATALOGUE,
        "gateways": (GATEWAY,),
        "version": "0.1.0",
        **site,
    }
    described = Site(**given)
    return Marketplace(
        site=described,
        catalogue=Catalogue(catalogue, CATALOGUE, deadline),
        gateways=gateways,
        renderer=Renderer(described, StaticFiles()),
    )


def application(marketplace: Marketplace) -> FastAPI:
    pages = page_of_failure(marketplace)
    return build_app("marketplace", "0", [router(marketplace)], max_body_bytes=1000, public=True, pages=pages)


@pytest.fixture
def catalogue() -> CatalogueDouble:
    return CatalogueDouble()


@pytest.fixture
def gateways() -> GatewaysDouble:
    return GatewaysDouble()


@pytest.fixture
def marketplace(catalogue: CatalogueDouble, gateways: GatewaysDouble) -> Marketplace:
    return build(catalogue, gateways)


@pytest.fixture
async def browser(marketplace: Marketplace) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(marketplace))
    async with httpx.AsyncClient(transport=transport, base_url="http://market.test") as http:
        yield http
