"""The contract of ports/catalog.py: what the assets have that a search finds, counted; and summaries of assets."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.sql import Connection, Rows
from insitu.ports.catalog import MAX_COUNTED, MAX_VALUES, Catalog, Query
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
    version(2, name="Weather of New York", description="for flights", author="Bob", license="MIT"),
    version(3, name="Trams", price=2**128, tags=("traffic", ""), services=("metadata",), license=""),
    version(4, name="Count flights", type="algorithm", price=0, services=("metadata",), listed=False),
    version(5, name="Hidden flights", tags=("secret",)),
    version(6, name="Retired flights", tags=("secret",)),
]


@pytest.fixture(params=ENGINES)
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlCatalog]:
    """Three listed data sets, an unlisted algorithm, and three that nobody finds."""
    store = open_catalog(request, tmp_path)
    for number, asset in enumerate(ASSETS, start=1):
        await store.put(asset, NOW)
        await store.apply([block(number, registered(asset))], NOW)
    await store.curate(did(5), "hidden", "spam", ALICE, 100, NOW)
    await store.retire(did(6), NOW)
    await store.put(version(7, name="Pending flights", tags=("secret",)), NOW)
    yield store
    await store.close()


async def counts(catalog: Catalog, query: Query) -> Mapping[str, Mapping[str, int]]:
    found = await catalog.facets(query)
    hits = await catalog.search(query)
    assert (found.total, found.more) == (hits.total, False)
    return {kind: dict(facet.values) for kind, facet in found.kinds.items()}


async def test_what_listed_assets_have_is_counted_as_their_documents_spell_it(catalog: Catalog) -> None:
    found = await catalog.facets(Query())
    assert (found.total, found.more) == (3, False)
    assert {kind: facet.values for kind, facet in found.kinds.items()} == {
        "type": (("dataset", 3),),
        "service": (("metadata", 3), ("compute", 2)),
        "tag": (("air", 2), ("Traffic", 2)),
        "category": (("Transport", 1),),
        "author": (("Alice", 2), ("Bob", 1)),
        "license": (("CC0", 1), ("MIT", 1)),
        "price": (("priced", 3),),
    }
    assert not any(facet.more for facet in found.kinds.values())


@pytest.mark.parametrize(
    ("query", "kind", "expected"),
    [
        (Query(words=("flights",)), "author", {"Alice": 1, "Bob": 1}),
        (Query(words=("flights",)), "tag", {"air": 2, "Traffic": 1}),
        (Query(words=("nowhere",)), "tag", {}),
        (Query(tag="TRAFFIC"), "license", {"CC0": 1}),
        (Query(tag="traffic", service="compute", author="alice"), "category", {"Transport": 1}),
        (Query(license="mit"), "author", {"Bob": 1}),
        (Query(price_min=31), "tag", {"traffic": 1}),
        (Query(owner=ALICE), "type", {"dataset": 3, "algorithm": 1}),
        (Query(owner=ALICE), "price", {"priced": 3, "free": 1}),
        (Query(owner=ALICE, type="Algorithm"), "price", {"free": 1}),
        (Query(owner=BOB), "type", {}),
        (Query(sort="price", skip=2, limit=1), "type", {"dataset": 3}),
    ],
)
async def test_what_a_search_finds_is_counted_and_nothing_else(
    catalog: Catalog, query: Query, kind: str, expected: Mapping[str, int]
) -> None:
    assert (await counts(catalog, query)).get(kind, {}) == expected


async def test_a_decision_about_listing_changes_what_is_counted(catalog: Catalog) -> None:
    await catalog.set_listed(did(4), True, 100, NOW)
    assert (await counts(catalog, Query()))["type"] == {"dataset": 3, "algorithm": 1}
    await catalog.set_listed(did(1), False, 100, NOW)
    assert "category" not in await counts(catalog, Query())
    await catalog.curate(did(5), "hidden", None, ALICE, 101, NOW)
    assert (await counts(catalog, Query()))["tag"]["secret"] == 1


async def test_a_facet_has_so_many_values_and_says_that_there_are_more(catalog: Catalog) -> None:
    many = version(8, tags=(*(f"tag{number:03}" for number in range(MAX_VALUES)), "Air"), name="Tagged")
    await catalog.put(many, NOW)
    await catalog.apply([block(8, registered(many))], NOW)
    found = (await catalog.facets(Query())).kinds["tag"]
    assert len(found.values) == MAX_VALUES
    assert found.more
    assert found.values[0] == ("air", 3), "the most frequent first, however it is spelled"


async def test_the_newest_thousand_are_counted_and_the_rest_is_more(catalog: SqlCatalog) -> None:
    """The rows are copied, because a thousand documents of a thousand calls prove nothing else."""

    def copy(connection: Connection) -> None:
        columns = "checksum, owner, version, updated_at, type, author, license, price, state, visibility"
        for number in range(MAX_COUNTED - 3):
            connection.execute(
                f"INSERT INTO asset (did, registered_at, {columns})"
                f" SELECT ?, registered_at + ?, {columns} FROM asset WHERE did = ?",
                (did(1000 + number), 1000 + number, did(2)),
            )

    await catalog._database.write(copy)
    found = await catalog.facets(Query())
    assert (found.total, found.more) == (MAX_COUNTED, False)
    assert dict(found.kinds["author"].values) == {"Bob": MAX_COUNTED - 2, "Alice": 2}

    newer = version(9, author="Carol")
    await catalog.put(newer, NOW)
    await catalog.apply([block(9000, registered(newer))], NOW)
    found = await catalog.facets(Query())
    assert (found.total, found.more) == (MAX_COUNTED, True)
    assert dict(found.kinds["author"].values) == {"Bob": MAX_COUNTED - 2, "Alice": 1, "Carol": 1}
    alone = await catalog.facets(Query(author="alice"))
    assert (alone.total, alone.more) == (2, False)


async def test_summaries_come_in_the_order_in_which_they_are_asked_for(catalog: Catalog) -> None:
    await catalog.apply([block(9, transferred(ASSETS[1]))], NOW + timedelta(hours=1))
    asked = (did(2), did(99), did(7), did(5), did(4), did(1), did(6))
    found = await catalog.summaries(asked)
    assert [asset.record.did for asset in found] == [one for one in asked if one != did(99)]
    states = ["listed", "pending", "hidden", "unlisted", "listed", "retired"]
    assert [asset.record.state for asset in found] == states
    for asset in found:
        assert asset.record == await catalog.record(asset.record.did)

    weather, pending, hidden, *_ = found
    assert weather.summary == ASSETS[1].summary
    assert (weather.record.owner, weather.record.version) == (BOB, 1)
    assert weather.record.updated_at == NOW + timedelta(hours=1)
    assert weather.created_at == datetime.fromtimestamp(1_900_000_002, UTC)
    assert (pending.summary.name, pending.created_at, pending.record.version) == ("Pending flights", None, 0)
    assert hidden.record.reason == "spam"
    assert await catalog.summaries(()) == ()


async def test_a_page_of_summaries_is_one_question(catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    read = catalog._database.read

    class Counting:
        def __init__(self, connection: Connection) -> None:
            self._connection = connection

        def execute(self, statement: str, parameters: object = ()) -> Rows:
            asked.append(statement)
            return self._connection.execute(statement, parameters)

    async def counted(query: Callable[[Connection], object]) -> object:
        return await read(lambda connection: query(Counting(connection)))  # type: ignore[arg-type]

    monkeypatch.setattr(catalog._database, "read", counted)
    assert len(await catalog.summaries([did(number) for number in range(1, 8)])) == 7
    assert len(asked) == 1


async def test_a_summary_is_of_the_version_that_the_chain_names(catalog: Catalog) -> None:
    newer = version(1, revision=1, name="Flights of all cities", price=40)
    await catalog.put(newer, NOW)
    (before,) = await catalog.summaries([did(1)])
    assert (before.summary.name, before.record.pending) == ("Flights of New York", newer.checksum)
    await catalog.apply([block(9, registered(newer, 2))], NOW)
    (after,) = await catalog.summaries([did(1)])
    assert (after.summary.name, after.summary.price, after.record.version) == ("Flights of all cities", 40, 2)
    assert after.created_at == before.created_at
    assert dict((await catalog.facets(Query(words=("cities",)))).kinds["tag"].values) == {"air": 1}
