"""The contract of ports/catalog.py: filters, words, order, pages; and that no text breaks the query."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.adapters.catalog.fts5 import Fts5
from insitu.adapters.catalog.query import select_of
from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.ports.catalog import Catalog, Query
from tests.ports.catalog.catalogue_samples import (
    ALICE,
    BOB,
    NOW,
    block,
    did,
    open_catalog,
    registered,
    transferred,
    version,
)
from tests.ports.stores import ENGINES

ASSETS = [
    version(1, name="Flights of New York", price=30, tags=("air", "Traffic"), categories=("Transport",)),
    version(2, name="Weather of New York", description="hourly, for flights", price=10, author="Bob", license="MIT"),
    version(3, name="Zürich trams", price=2**128 - 1, tags=("traffic",), services=("metadata",)),
    version(4, name="Count words", type="algorithm", price=0, services=("metadata",)),
]


@pytest.fixture(params=ENGINES, scope="module")
async def catalog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Catalog]:
    store = open_catalog(request, tmp_path_factory.mktemp("catalogue"))
    for number, asset in enumerate(ASSETS, start=1):
        await store.put(asset, NOW)
        await store.apply([block(number, registered(asset))], NOW)
    await store.apply([block(9, transferred(ASSETS[1]))], NOW)
    await store.put(version(5, name="Flights, pending"), NOW)
    yield store
    await store.close()


async def numbers(catalog: Catalog, query: Query) -> list[int]:
    hits = await catalog.search(query)
    assert hits.total == len(hits.documents)
    return [int(str(document["id"])[-1]) for document in hits.documents]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), {1, 2, 3, 4}),
        (Query(type="algorithm"), {4}),
        (Query(type="Algorithm"), {4}),
        (Query(service="compute"), {1, 2}),
        (Query(tag="TRAFFIC"), {1, 3}),
        (Query(category="transport"), {1}),
        (Query(author="bob"), {2}),
        (Query(license="mit"), {2}),
        (Query(owner=BOB), {2}),
        (Query(owner=ALICE), {1, 3, 4}),
        (Query(price_min=10), {1, 2, 3}),
        (Query(price_max=10), {2, 4}),
        (Query(price_min=11, price_max=2**128 - 2), {1}),
        (Query(price_max=2**256 - 1), {1, 2, 3, 4}),
        (Query(words=("flights",)), {1, 2}),
        (Query(words=("flig",)), {1, 2}),
        (Query(words=("of",)), {1, 2, 3, 4}),
        (Query(words=("fl",)), set()),
        (Query(words=("FLIGHTS", "new")), {1, 2}),
        (Query(words=("flights", "hourly")), {2}),
        (Query(words=("zurich",)), {3}),
        (Query(words=("traffic",)), {1, 3}),
        (Query(words=("nowhere",)), set()),
        (Query(words=(did(3).removeprefix("did:nv:"),)), {3}),
        (Query(words=("flights",), author="Alice", price_min=1), {1}),
        (Query(words=("new-york",)), {1, 2}),
        (Query(words=("york-new",)), set()),
        (Query(words=("york-wea",)), set()),
        (Query(words=("ZÜRICH tra",)), {3}),
        (Query(words=("*",)), set()),
        (Query(words=("flights", "*")), set()),
    ],
)
async def test_every_part_of_a_query_must_hold(catalog: Catalog, query: Query, expected: set[int]) -> None:
    assert set(await numbers(catalog, query)) == expected


async def test_relevance_puts_a_name_before_a_description(catalog: Catalog) -> None:
    assert await numbers(catalog, Query(words=("flights",))) == [1, 2]
    assert await numbers(catalog, Query(words=("flights",), descending=False)) == [2, 1]


async def test_the_order_may_be_by_date_or_price(catalog: Catalog) -> None:
    assert await numbers(catalog, Query(sort="date")) == [4, 3, 2, 1]
    assert await numbers(catalog, Query(sort="date", descending=False)) == [1, 2, 3, 4]
    assert await numbers(catalog, Query()) == [4, 3, 2, 1]
    assert await numbers(catalog, Query(sort="price")) == [3, 1, 2, 4]
    assert await numbers(catalog, Query(sort="price", descending=False)) == [4, 2, 1, 3]


async def test_pages_cover_everything_once(catalog: Catalog) -> None:
    pages = [await catalog.search(Query(skip=skip, limit=3)) for skip in (0, 3, 6)]
    assert [page.total for page in pages] == [4, 4, 4]
    found = [document["id"] for page in pages for document in page.documents]
    assert len(found) == len(set(found)) == 4


async def test_the_list_of_dids_goes_on_behind_the_last_one(catalog: Catalog) -> None:
    first = await catalog.dids(limit=3)
    assert first == (did(1), did(2), did(3))
    assert await catalog.dids(after=first[-1]) == (did(4),)


@given(words=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4), text=st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_breaks_the_query(catalog: Catalog, words: list[str], text: str) -> None:
    plain = tuple(word for word in words if word.isprintable() or "\0" in word)
    await catalog.search(Query(words=plain, tag=text, author=text, type=text, license=text))


@pytest.mark.parametrize(
    "text", ['"', '" OR 1', "NEAR(a b)", "name:x", "*", "a AND", "{x}", "'; DROP TABLE asset", "^"]
)
async def test_the_language_of_the_index_is_not_spoken_by_callers(catalog: Catalog, text: str) -> None:
    await catalog.search(Query(words=(text,)))
    assert len(await catalog.dids()) == 4


async def test_a_catalogue_of_thousands_is_searched_by_its_indices(tmp_path: Path) -> None:
    """Not a time but the plan is asserted: no query walks over all assets to find one owner's."""
    store = SqliteCatalog(tmp_path / "metadata.db")

    async def plan(query: Query) -> str:
        select = select_of(query, Fts5())
        explained = [f"EXPLAIN QUERY PLAN {statement}" for statement in (select.count, select.page)]
        rows = await store._database.read(
            lambda connection: [row for each in explained for row in connection.execute(each, select.parameters)]
        )
        return " / ".join(row["detail"] for row in rows)

    assert (await plan(Query(words=("x",), sort="price"))).startswith("SCAN search VIRTUAL TABLE")
    for narrow in (Query(tag="x"), Query(category="x", service="y"), Query(owner=ALICE), Query(author="x")):
        steps = await plan(narrow)
        assert "SCAN asset" not in steps
        assert "asset_by_date" not in steps, "all that are listed are nearly all"
    await store.close()
