"""The keys of the development wallet go to pages on this machine only, and only where the chain is embedded."""

from collections.abc import AsyncIterator

import httpx
import pytest

from insitu.adapters.keys.dev import dev_keys, dev_signer
from insitu.marketplace.routes.development import ADDRESS
from tests.doubles.catalogue import CatalogueDouble, GatewaysDouble
from tests.marketplace.conftest import application, build

HERE = ["127.0.0.1:8030", "localhost", "127.8.9.1", "[::1]:8030", "insitu.localhost"]
ELSEWHERE = ["market.test", "127.0.0.1.rebind.test", "localhost.rebind.test", "10.0.0.7:8030", "[::1", "0.0.0.0", ""]


@pytest.fixture
async def developing(catalogue: CatalogueDouble, gateways: GatewaysDouble) -> AsyncIterator[httpx.AsyncClient]:
    marketplace = build(catalogue, gateways, development=True)
    marketplace.development_keys = dev_keys(["consumer", "owner"])
    transport = httpx.ASGITransport(application(marketplace))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8030") as http:
        yield http


@pytest.mark.parametrize("host", HERE)
async def test_a_page_on_this_machine_gets_the_keys(developing: httpx.AsyncClient, host: str) -> None:
    answer = await developing.get(ADDRESS, headers={"Host": host, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-store"
    assert '"consumer": "' + dev_keys(["consumer"])["consumer"] in answer.text


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_name_that_only_leads_here_gets_nothing(developing: httpx.AsyncClient, host: str) -> None:
    answer = await developing.get(ADDRESS, headers={"Host": host, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code in {400, 404}
    assert dev_keys(["consumer"])["consumer"] not in answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_gets_nothing(developing: httpx.AsyncClient, site: str) -> None:
    answer = await developing.get(ADDRESS, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 404


async def test_a_marketplace_without_an_embedded_chain_has_no_such_wallet(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(ADDRESS, headers={"Host": "127.0.0.1:8030"})
    assert answer.status_code == 404


async def test_no_page_and_no_file_of_a_release_has_a_key(developing: httpx.AsyncClient) -> None:
    page = await developing.get("/")
    keys = dev_keys(["consumer", "owner"]).values()
    assert not [key for key in keys if key in page.text]
    marketplace_files = build(CatalogueDouble(), GatewaysDouble()).renderer.static_files.files.values()
    assert not [file.name for file in marketplace_files for key in keys if key.encode() in file.content]


def test_the_keys_are_those_of_the_accounts_by_name() -> None:
    assert dev_keys(["owner"]).keys() == {"owner"}
    assert dev_signer("owner").address == "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
