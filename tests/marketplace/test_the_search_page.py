"""The search page: each state has an address, and each address asks the catalogue twice, however many it finds."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from insitu.api.metadata_v1 import AssetFacets, Facet, FacetValue, SearchFilters, SearchRequest
from insitu.domain.errors import InsituError
from insitu.marketplace.samples import CHECKSUM, OPEN, OWNER, STRICT, did, document
from insitu.marketplace.search import Wanted
from tests.doubles.catalogue import CatalogueDouble, summary


@pytest.fixture
def stocked(catalogue: CatalogueDouble) -> CatalogueDouble:
    """A catalogue with a page of data sets."""
    for number in range(1, 21):
        policy = STRICT if number % 2 else OPEN
        catalogue.add(summary(number, did=did(number)), document(policy=policy, number=number, name=f"Set {number}"))
    tags = Facet(values=(FacetValue(value="Air & Sea", count=12), FacetValue(value="rail", count=3)))
    catalogue.counted = AssetFacets(total_results=20, tag=tags)
    return catalogue


def hrefs(html: str) -> list[str]:
    return [text.replace("&amp;", "&") for text in re.findall(r'href="(/search[^"]*)"', html)]


async def test_a_page_of_twenty_asks_twice(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    await browser.get("/search")
    stocked.asked.clear()
    answer = await browser.get("/search")
    assert answer.status_code == 200
    assert sorted(type(asked).__name__ for asked in stocked.asked) == ["SearchFilters", "SearchRequest"]
    assert answer.text.count("<li><h2>") == 20


async def test_what_an_address_says_is_asked(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    query = {"text": "new york", "tag": "rail", "author": "Office", "price": "priced", "sort": "dearest", "page": "3"}
    stocked.asked.clear()
    await browser.get("/search", params=query)
    asked = next(found for found in stocked.asked if isinstance(found, SearchRequest))
    wanted = {"text": "new york", "tag": "rail", "author": "Office", "page": 3, "sort": "price", "descending": True}
    assert {name: getattr(asked, name) for name in wanted} == wanted
    assert (asked.price_min, asked.price_max, asked.type, asked.service) == (1, None, None, "compute")
    counted = next(found for found in stocked.asked if type(found) is SearchFilters)
    assert (counted.text, counted.tag, counted.service) == ("new york", "rail", "compute")


async def test_rules_and_states_are_filters_with_words(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    values = [("any", 12), ("algorithms", 3)]
    rules = Facet(values=tuple(FacetValue(value=value, count=count) for value, count in values))
    leaves = Facet(values=(FacetValue(value=".csv", count=7), FacetValue(value="no log", count=2)))
    states = Facet(values=(FacetValue(value="listed", count=1001), FacetValue(value="retired", count=1000)))
    stocked.counted = AssetFacets(may_run=rules, may_leave=leaves, state=states)
    page = (await browser.get("/search")).text
    for address, words in (
        ("may_run=any", 'Any algorithm, also your own<span class="n">12</span>'),
        ("may_run=algorithms", 'Named algorithms only<span class="n">3</span>'),
        ("may_leave=.csv", '.csv<span class="n">7</span>'),
        ("may_leave=no+log", 'No log text<span class="n">2</span>'),
        ("state=retired", 'Retired<span class="n">1,000</span>'),
    ):
        assert f'href="/search?{address}">{words}' in page
    assert re.search(r'href="/search" aria-current="true">Listed.*?<span class="n">1,000\+</span>', page)
    chosen = await browser.get("/search", params={"may_run": "algorithms", "may_leave": ".csv", "text": "york"})
    assert "20 data sets for “york”, named algorithms only, .csv" in chosen.text
    assert "/search?text=york&may_leave=.csv" in hrefs(chosen.text)
    asked = [found for found in stocked.asked if isinstance(found, SearchFilters)][-1]
    assert (asked.may_run, asked.may_leave, asked.state, asked.service) == ("algorithms", ".csv", None, "compute")


async def test_what_is_listed_alone_needs_no_choice(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    stocked.counted = AssetFacets(state=Facet(values=(FacetValue(value="listed", count=20),)))
    assert "<h2>State</h2>" not in (await browser.get("/search")).text


async def test_cards_of_other_states_say_them(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.add(summary(1, did=did(1), state="retired"), document(policy=OPEN))
    retired = await browser.get("/search", params={"state": "retired"})
    assert "Retired on 3 Nov 2026</span>" in retired.text
    assert "1 data set, retired" in retired.text
    catalogue.add(summary(1, did=did(1), state="pending"), document(policy=OPEN))
    pending = await browser.get("/search", params={"state": "pending", "owner": OWNER.lower()})
    assert "Pending</span>" in pending.text
    asked = [found for found in catalogue.asked if isinstance(found, SearchRequest)][-1]
    assert (asked.state, asked.owner) == ("pending", OWNER)
    assert "/search?state=pending" in hrefs(pending.text), "the owner can be dropped"


async def test_results_of_executions_are_not_asked_for(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    for kind, asked_type, service in (
        ("dataset", None, "compute"),
        ("algorithm", "algorithm", None),
        ("workflow", "workflow", None),
    ):
        stocked.asked.clear()
        await browser.get("/search", params={"kind": kind})
        asked = next(found for found in stocked.asked if isinstance(found, SearchRequest))
        assert (asked.type, asked.service) == (asked_type, service)


async def test_a_filter_is_an_address_that_keeps_the_others(
    browser: httpx.AsyncClient, stocked: CatalogueDouble
) -> None:
    answer = await browser.get("/search", params={"text": "york", "sort": "newest", "page": "2"})
    found = [parse_qs(urlsplit(href).query) for href in hrefs(answer.text)]
    assert {"text": ["york"], "sort": ["newest"], "tag": ["Air & Sea"]} in found
    chosen = await browser.get("/search", params={"text": "york", "tag": "rail"})
    assert {"text": ["york"]} in [parse_qs(urlsplit(href).query) for href in hrefs(chosen.text)]
    assert '<input type="hidden" name="tag" value="rail">' in chosen.text


async def test_counts_are_exact_or_say_that_there_are_more(
    browser: httpx.AsyncClient, stocked: CatalogueDouble
) -> None:
    assert '<span class="n">12</span>' in (await browser.get("/search")).text
    more = Facet(values=(FacetValue(value="rail", count=1000),))
    stocked.counted = AssetFacets(total_results=1000, more=True, tag=more)
    assert '<span class="n">1,000+</span>' in (await browser.get("/search")).text


async def test_pages_lead_to_each_other(browser: httpx.AsyncClient, stocked: CatalogueDouble) -> None:
    stocked.pages = 3
    first, second, last = [(await browser.get("/search", params={"page": page})).text for page in ("1", "2", "3")]
    assert 'rel="prev"' not in first
    assert 'rel="next" href="/search?page=2"' in first
    assert 'rel="prev" href="/search"' in second
    assert 'rel="next" href="/search?page=3"' in second
    assert 'rel="next"' not in last


async def test_nothing_found_says_what_to_try(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/search", params={"text": "ward 2031", "price": "free"})
    assert "No data sets for “ward 2031”, free" in answer.text
    assert "/search?text=ward+2031" in hrefs(answer.text)
    assert "/search?text=ward&price=free" in hrefs(answer.text)


@pytest.mark.parametrize("state", ["pending", "hidden", "retired"])
async def test_a_did_leads_to_what_no_search_finds(
    browser: httpx.AsyncClient, catalogue: CatalogueDouble, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from insitu.api.metadata_v1 import SearchPage

    async def nothing(request: SearchRequest) -> SearchPage:
        return SearchPage(results=(), page=1, total_pages=0, total_results=0)

    monkeypatch.setattr(catalogue, "search", nothing)
    catalogue.add(summary(1, did=did(1), state=state, checksum=CHECKSUM, reason="why"), document(policy=OPEN))
    answer = await browser.get("/search", params={"text": did(1)})
    assert f'href="/assets/{did(1)}"' in answer.text
    assert state.capitalize() in answer.text
    unknown = await browser.get("/search", params={"text": did(2)})
    assert "Nothing listed fits" in unknown.text


async def test_an_account_shows_what_it_lists_and_nothing_else(
    browser: httpx.AsyncClient, stocked: CatalogueDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = stocked.search

    async def with_unlisted(request: SearchRequest) -> object:
        return (await search(request)).model_copy(update={"unlisted": (did(3),)})

    monkeypatch.setattr(stocked, "search", with_unlisted)
    answer = await browser.get(f"/accounts/{OWNER.lower()}")
    assert "Offers 19 assets" in answer.text
    assert did(3) not in answer.text
    assert OWNER in answer.text.replace("</span><span>", "")
    assert (await browser.get("/accounts/0x12")).status_code == 400


async def test_a_catalogue_that_fails_is_a_page(browser: httpx.AsyncClient, catalogue: CatalogueDouble) -> None:
    catalogue.error = InsituError("PeerUnavailable", "catalogue.test does not answer")
    answer = await browser.get("/search")
    assert answer.status_code == 503
    assert "catalogue.test does not answer" in answer.text


@pytest.mark.parametrize(
    "query",
    [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "99999999"}, {"page": "²"}, {"kind": "result"},
     {"sort": "x"}, {"price": "cheap"}, {"state": "hidden"}, {"owner": "0x12"}, {"may_run": "x"}, {"may_leave": "\x00"},
     {"text": "x" * 9000}, {"tag": "x" * 9000}, {"text": "\x00"}, {"nothing": "x"}],
)  # fmt: skip
async def test_an_address_that_means_nothing_is_a_search(
    browser: httpx.AsyncClient, stocked: CatalogueDouble, query: dict[str, str]
) -> None:
    assert (await browser.get("/search", params=query)).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [Wanted(), Wanted(text="a b&c=d#e", tag="é", sort="dearest", page=7), Wanted(kind="workflow", price="free")],
)
def test_an_address_is_read_as_it_was_written(wanted: Wanted) -> None:
    address = urlsplit(wanted.with_(page=wanted.page))
    assert address.path == "/search"
    assert Wanted.read({name: values[0] for name, values in parse_qs(address.query).items()}) == wanted
