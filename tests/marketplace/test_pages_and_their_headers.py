"""A page is HTML with a policy of its own; what goes wrong is a page, and under /api a problem document."""

import re

import httpx
import pytest

from insitu.domain.errors import InsituError
from insitu.marketplace.samples import OPEN, document
from insitu.marketplace.service import Marketplace
from tests.doubles.catalogue import CatalogueDouble, summary
from tests.marketplace.conftest import build


def directives(answer: httpx.Response) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in pairs}


async def test_the_home_page_shows_the_newest_data_sets(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.add(summary(1), document(policy=OPEN, name="Departures <b>2013</b>"))
    answer = await browser.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Departures &lt;b&gt;2013&lt;/b&gt;" in answer.text


async def test_a_policy_allows_nothing_inline_and_no_other_origin(browser: httpx.AsyncClient) -> None:
    found = directives(await browser.get("/"))
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == found["form-action"] == "'self'"
    assert found["frame-ancestors"] == found["base-uri"] == "'none'"
    assert found["require-trusted-types-for"] == "'script'"
    assert found["connect-src"] == "'self' http://catalogue.test http://gateway.test"


async def test_a_page_is_not_sent_again_while_it_is_the_same(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/")
    again = await browser.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await browser.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("path", ["/nowhere/%E2%80%AEgnp%1B[31m%00", "/agreements/%E2%80%AEgnp%1B[31m%00"])
async def test_a_page_of_a_failure_makes_visible_what_an_address_hides(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code in {400, 404}
    assert not {"\u202e", "\x1b", "\0"} & set(answer.text)


async def test_pages_alone_have_an_empty_openapi_document(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/openapi.json")
    assert (answer.status_code, answer.json()["paths"]) == (200, {})


async def test_a_slash_too_many_leads_to_the_same_server_whatever_name_is_claimed(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/search/?text=a%20b", headers={"Host": "elsewhere.test"})
    assert (answer.status_code, answer.headers["location"]) == (307, "/search?text=a%20b")
    for path in ("//elsewhere.test/", "/nowhere/", "/search//", "/static/../search/"):
        answer = await browser.get("http://market.test" + path, headers={"Host": "elsewhere.test"})
        assert not answer.headers.get("location", "").startswith(("//", "http")), path


async def test_the_stylesheet_is_kept_because_its_name_changes_with_it(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    answer = await browser.get(style)
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert len(marketplace_style(answer)) > 1000
    missing = await browser.get("/static/style-000000000000.css")
    assert missing.status_code == 404
    assert missing.headers["cache-control"] == "no-store"


def marketplace_style(answer: httpx.Response) -> bytes:
    return answer.content


async def test_an_error_is_a_page_that_says_what_was_asked_for_and_what_to_do(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/no<where>")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert "/no&lt;where&gt;" in answer.text
    assert "What to do next" in answer.text
    assert "Nothing was signed or charged" in answer.text


async def test_an_error_of_the_api_stays_a_problem_document(browser: httpx.AsyncClient) -> None:
    for path in ("/api/v1/nothing", "/api"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "NotFound"


async def test_a_method_that_a_page_does_not_have_is_a_page_with_the_methods(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_body_that_is_too_long_is_a_page(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/", content=b"x" * 2000)
    assert answer.status_code in {405, 413}
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_defect_is_a_page_that_reveals_nothing(
    browser: httpx.AsyncClient, marketplace: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(marketplace, "home", fail)
    answer = await browser.get("/")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "swordfish" not in answer.text
    assert answer.headers["x-request-id"] in answer.text


async def test_a_catalogue_that_is_away_is_a_page(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.error = InsituError("PeerUnavailable", "catalogue.test does not answer")
    answer = await browser.get("/")
    assert answer.status_code == 503
    assert "catalogue.test does not answer" in answer.text


async def test_a_catalogue_that_is_slow_is_given_up(catalogue: CatalogueDouble) -> None:
    from tests.doubles.catalogue import GatewaysDouble

    catalogue.delay = 3600
    slow = build(catalogue, GatewaysDouble(), deadline=0.01)
    with pytest.raises(InsituError, match=r"has not answered within 0\.01 seconds"):
        await slow.home()


async def test_a_catalogue_that_answers_with_another_document_is_not_believed(
    marketplace: Marketplace, catalogue: CatalogueDouble
) -> None:
    asset = summary(1)
    catalogue.add(asset, {"id": summary(2).did})
    with pytest.raises(InsituError, match="another document") as caught:
        await marketplace.catalogue.document(asset.did)
    assert caught.value.code == "ChecksumMismatch"
