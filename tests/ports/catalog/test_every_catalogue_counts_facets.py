"""The contract of ports/catalog.py: what the assets have that a search finds, counted; and summaries of assets."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.sql import Connection, Rows
from insitu.ports.catalog import MAX_COUNTED, MAX_VALUES, Catalog, Query, Summary
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

ANY = {"may_run": ("any",), "may_leave": (".csv", "log")}
NAMED = {"may_run": ("publishers", "algorithms"), "may_leave": (".csv", "no log")}
ASSETS = [
    version(1, name="Flights of New York", price=30, tags=("air", "Traffic"), categories=("Transport",), **ANY),
    version(2, name="Weather of New York", description="for flights", author="Bob", license="MIT", **NAMED),
    version(3, name="Trams", price=2**128, tags=("traffic", ""), services=("metadata",), license=""),
    version(4, name="Count flights", type="algorithm", price=0, services=("metadata",), listed=False),
    version(5, name="Hidden flights", tags=("secret",)),
    version(6, name="Retired flights", tags=("secret",), **NAMED),
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
        "may_run": (("algorithms", 1), ("any", 1), ("publishers", 1)),
        "may_leave": ((".csv", 2), ("log", 1), ("no log", 1)),
        "price": (("priced", 3),),
        "state": (("listed", 3), ("retired", 1)),
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
        (Query(may_run="Any"), "may_leave", {".csv": 1, "log": 1}),
        (Query(may_leave=".CSV", service="compute"), "may_run", {"any": 1, "publishers": 1, "algorithms": 1}),
        (Query(words=("flights",), may_leave="no log"), "author", {"Bob": 1}),
        (Query(may_run="nothing"), "type", {}),
        (Query(state="listed"), "author", {"Alice": 2, "Bob": 1}),
        (Query(state="listed", may_run="any"), "type", {"dataset": 1}),
        (Query(state="retired"), "tag", {"secret": 1}),
        (Query(state="retired", words=("flights",), may_leave="no log"), "may_run", {"publishers": 1, "algorithms": 1}),
        (Query(state="retired", words=("weather",)), "type", {}),
        (Query(state="retired", tag="SECRET", license="cc0"), "type", {"dataset": 1}),
        (Query(state="retired", owner=ALICE), "type", {"dataset": 1}),
        (Query(state="retired", owner=BOB), "type", {}),
        (Query(state="unlisted"), "type", {}),
        (Query(state="unlisted", owner=ALICE), "type", {"algorithm": 1}),
        (Query(state="pending"), "type", {}),
        (Query(state="pending", owner=ALICE), "tag", {"secret": 1}),
        (Query(state="pending", owner=ALICE, words=("pending", "fl")), "type", {}),
        (Query(state="pending", owner=ALICE, words=("pend", "flig")), "type", {"dataset": 1}),
        (Query(state="pending", owner=BOB), "type", {}),
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


async def test_each_state_has_its_number_whichever_is_asked_for(catalog: Catalog) -> None:
    strangers = {"listed": 3, "retired": 1}
    for query in (Query(), Query(state="retired"), Query(state="listed"), Query(state="pending")):
        assert dict((await catalog.facets(query)).kinds["state"].values) == strangers
    owners = dict((await catalog.facets(Query(owner=ALICE, state="pending"))).kinds["state"].values)
    assert owners == {"listed": 3, "unlisted": 1, "retired": 1, "pending": 1}


async def test_what_was_unlisted_before_it_was_retired_is_found_with_its_owner(catalog: Catalog) -> None:
    await catalog.retire(did(4), NOW)
    assert (await catalog.search(Query(state="retired"))).total == 1
    found = await catalog.search(Query(state="retired", owner=ALICE))
    assert (found.total, found.unlisted) == (2, (did(4),))
    await catalog.curate(did(4), "hidden", "spam", ALICE, 100, NOW)
    assert (await catalog.search(Query(state="retired", owner=ALICE))).total == 1


async def test_what_is_registered_or_dropped_is_pending_no_longer(catalog: Catalog) -> None:
    pending = Query(state="pending", owner=ALICE, words=("pending",))
    assert (await catalog.search(pending)).total == 1
    await catalog.apply([block(7, registered(version(7, name="Pending flights", tags=("secret",))))], NOW)
    assert ((await catalog.search(pending)).total, (await catalog.search(Query(words=("pending",)))).total) == (0, 1)
    await catalog.put(version(8, name="Pending trams"), NOW)
    assert (await catalog.search(pending)).total == 1
    assert await catalog.drop_pending(NOW + timedelta(days=1)) == 1
    assert (await catalog.search(pending)).total == 0


async def test_documents_of_an_earlier_release_are_summarised_again(catalog: SqlCatalog) -> None:
    """What an earlier release stored has no rules, and nothing retired or pending is in an index."""

    def forget(connection: Connection) -> None:
        connection.execute("UPDATE version SET form = 1")
        connection.execute("DELETE FROM facet WHERE kind IN ('may_run', 'may_leave')")
        connection.execute("UPDATE asset SET visibility = 0 WHERE visibility < 0")

    before = await catalog.summaries([did(number) for number in range(1, 8)])
    await catalog._database.write(forget)
    assert (await catalog.search(Query(state="retired"))).total == 0

    def summarise(document: Mapping[str, object]) -> Summary | None:
        number = int(str(document["id"])[-1])
        return None if number == 2 else replace(before[number - 1].summary, may_run=("any",))

    assert [await catalog.renew(summarise, limit=4) for _ in range(3)] == [4, 3, 0]
    assert (await counts(catalog, Query()))["may_run"] == {"any": 2, "algorithms": 1, "publishers": 1}
    assert (await counts(catalog, Query(state="retired", words=("retired",))))["may_run"] == {"any": 1}
    after = await catalog.summaries([did(number) for number in range(1, 8)])
    assert [asset.record for asset in after] == [asset.record for asset in before]


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
    assert dict(found.kinds["state"].values) == {"listed": MAX_COUNTED + 1, "retired": 1}
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
