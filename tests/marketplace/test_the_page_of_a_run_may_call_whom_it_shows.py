"""The page of a run says what it is for, and its policy names the gateways of its documents and nobody else."""

from typing import Any

import httpx
import pytest

from insitu.domain.canonical import JsonObject
from tests.doubles.catalogue import CATALOGUE, GATEWAY, CatalogueDouble, did, summary
from tests.marketplace.test_pages_and_their_headers import directives

EVIL = '"><script>alert(1)</script>'


def document(number: int, endpoint: str, **main: Any) -> JsonObject:
    services = [
        {
            "index": 0,
            "type": "metadata",
            "serviceEndpoint": f"{CATALOGUE}/x",
            "attributes": {"main": {"name": f"set {number}", "type": "dataset", **main}},
        },
        {"index": 4, "type": "compute", "serviceEndpoint": endpoint, "attributes": {"main": {}}},
    ]
    return {"id": did(number), "service": services}


async def test_it_may_call_the_gateways_of_its_data_sets(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    catalogue.add(summary(1), document(1, "https://one.test:8443/api/v1/gateway/services/exec"))
    catalogue.add(summary(2), document(2, "https://two.test/api/v1/gateway/services/exec; script-src *", name=EVIL))
    answer = await browser.get("/run", params={"on": [did(1), did(2), did(1)]})
    assert answer.status_code == 200
    called = directives(answer)["connect-src"].split()
    assert {"https://one.test:8443", "https://two.test", GATEWAY, "'self'"} <= set(called)
    assert directives(answer)["script-src"] == "'self'"
    assert f'inputs="{did(1)} {did(2)} "' in answer.text
    assert 'gateway="https://one.test:8443"' in answer.text
    assert EVIL not in answer.text


async def test_a_document_of_many_servers_makes_no_long_headers(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble
) -> None:
    found = document(1, "https://one.test/exec")
    more = [{"type": "access", "serviceEndpoint": f"https://more{number}.test/x"} for number in range(3000)]
    found["service"] = [*more, *found["service"]]
    catalogue.add(summary(1), found)
    answer = await browser.get("/run", params={"on": did(1)})
    assert "https://one.test" in directives(answer)["connect-src"].split()
    assert len(answer.headers["content-security-policy"]) < 4000


async def test_a_workflow_brings_its_data_sets(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    stages = [{"index": 0, "input": [{"index": 0, "id": did(1)}], "transformation": {"id": did(9)}}]
    catalogue.add(summary(1), document(1, "https://one.test/exec"))
    catalogue.add(summary(3), document(3, "https://other.test/exec", type="workflow", workflow={"stages": stages}))
    answer = await browser.get("/run", params={"workflow": did(3)})
    assert f'workflow="{did(3)}"' in answer.text
    assert f'inputs="{did(1)} "' in answer.text


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({}, 400, "a run begins on the page of a data set"),
        ({"on": "nonsense"}, 400, "InvalidDid"),
        ({"on": did(7)}, 404, "AssetNotFound"),
        ({"workflow": did(1)}, 422, "InvalidDocument"),
    ],
)
async def test_what_cannot_run_is_a_page_that_says_so(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, asked: dict[str, str], status: int, said: str
) -> None:
    catalogue.add(summary(1), document(1, "https://one.test/exec"))
    answer = await browser.get("/run", params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert said in answer.text


async def test_the_page_of_the_account_may_call_the_gateways_of_the_settings(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/account")
    assert answer.status_code == 200
    assert GATEWAY in directives(answer)["connect-src"].split()
