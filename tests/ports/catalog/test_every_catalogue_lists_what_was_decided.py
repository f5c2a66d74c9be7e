"""The contract of ports/catalog.py: what is listed, unlisted and hidden, and who finds it."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from insitu.adapters.catalog.fts5 import Fts5
from insitu.adapters.catalog.postgresql import MIGRATIONS
from insitu.adapters.catalog.store import SqlCatalog
from insitu.adapters.catalog.tsvector import Tsvector
from insitu.adapters.sql import Connection, Database
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.errors import InsituError
from insitu.ports.catalog import MAX_FEATURED, Catalog, Query
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
from tests.ports.stores import ENGINES, new_schema, postgresql_database

LATER = NOW + timedelta(hours=1)
DATA, SCRIPT = version(1, name="Flights"), version(2, name="Count flights", type="algorithm", listed=False)


@pytest.fixture(params=ENGINES)
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalog]:
    """One listed data set and one unlisted algorithm, both of Alice."""
    store = open_catalog(request, tmp_path)
    for number, asset in enumerate((DATA, SCRIPT), start=1):
        await store.put(asset, NOW)
        await store.apply([block(number, registered(asset))], NOW)
    yield store
    await store.close()


async def found(catalog: Catalog, **query: object) -> list[int]:
    """The numbers of the assets that a search finds; its total and the marks of unlisted ones agree."""
    hits = await catalog.search(Query(**query))
    assert hits.total == len(hits.documents)
    dids = [str(document["id"]) for document in hits.documents]
    assert [did for did in dids if await state(catalog, did) == "unlisted"] == list(hits.unlisted)
    return sorted(int(did[-1]) for did in dids)


async def state(catalog: Catalog, of: str) -> str:
    record = await catalog.record(of)
    assert record is not None
    return record.state


async def test_strangers_find_what_is_listed_and_those_who_name_the_owner_everything(catalog: Catalog) -> None:
    assert await state(catalog, did(2)) == "unlisted"
    for query in ({}, {"words": ("flights",)}, {"tag": "air"}, {"service": "compute"}, {"author": "Alice"}):
        assert await found(catalog, **query) == [1], query
        assert await found(catalog, owner=ALICE, **query) == [1, 2], query
        assert await found(catalog, owner=BOB, **query) == [], query
    assert await catalog.dids() == (did(1),)
    kept = await catalog.document(did(2))
    assert kept is not None
    assert kept.document == SCRIPT.document


async def test_an_owner_lists_and_unlists_again_and_again(catalog: Catalog) -> None:
    for deadline, listed in enumerate((True, False, False, True), start=100):
        record = await catalog.set_listed(did(2), listed, deadline, LATER)
        assert record is not None
        assert record.state == ("listed" if listed else "unlisted")
        assert await found(catalog, tag="air") == ([1, 2] if listed else [1])
    await catalog.set_listed(did(1), False, 1, LATER)
    assert await catalog.dids() == (did(2),)


async def test_an_owner_lists_everything_of_theirs_in_every_state(catalog: Catalog) -> None:
    await catalog.put(version(3), NOW)
    await catalog.curate(did(1), "hidden", "spam", ALICE, 100, NOW)
    await catalog.retire(did(2), NOW)
    assert await catalog.dids() == ()
    assert await catalog.dids(owner=ALICE) == (did(1), did(2), did(3))
    assert await catalog.dids(did(1), 1, ALICE) == (did(2),)
    assert await catalog.dids(owner=BOB) == ()
    await catalog.apply([block(3, transferred(SCRIPT))], LATER)
    assert await catalog.dids(owner=BOB) == (did(2),)
    assert await catalog.dids(owner=ALICE) == (did(1), did(3)), "who created it and gave it away owns it no more"


async def test_a_request_that_was_signed_earlier_changes_nothing_when_it_comes_again(catalog: Catalog) -> None:
    await catalog.set_listed(did(2), True, 100, NOW)
    await catalog.set_listed(did(2), False, 101, NOW)
    with pytest.raises(InsituError, match="DeadlinePassed"):
        await catalog.set_listed(did(2), True, 100, NOW)
    assert await state(catalog, did(2)) == "unlisted"
    await catalog.curate(did(2), "hidden", "spam", ALICE, 100, NOW)
    await catalog.curate(did(2), "hidden", None, ALICE, 101, NOW)
    with pytest.raises(InsituError, match="DeadlinePassed"):
        await catalog.curate(did(2), "hidden", "spam", ALICE, 100, NOW)
    assert await state(catalog, did(2)) == "unlisted"


async def test_nobody_finds_what_is_hidden_whatever_its_owner_asks_and_everybody_sees_why(catalog: Catalog) -> None:
    record = await catalog.curate(did(1), "hidden", "names of patients", ALICE, 100, LATER)
    assert record is not None
    assert (record.state, record.reason, record.updated_at) == ("hidden", "names of patients", LATER)
    await catalog.set_listed(did(1), True, 200, LATER)
    await catalog.apply([block(3, registered(DATA, 2)), block(4, transferred(DATA))], LATER)
    assert await state(catalog, did(1)) == "hidden"
    assert await found(catalog) == []
    assert await found(catalog, tag="air") == []
    assert await found(catalog, owner=BOB) == []
    assert await catalog.document(did(1)) is not None

    record = await catalog.curate(did(1), "hidden", None, ALICE, 101, LATER)
    assert record is not None
    assert (record.state, record.reason) == ("listed", "")
    assert await found(catalog, tag="air") == [1]


async def test_what_is_featured_says_who_decided_when_and_why_and_hiding_wins(catalog: Catalog) -> None:
    """The document is shown while strangers find it, and never that of what is hidden."""
    record = await catalog.curate(did(1), "featured", "clean and well described", BOB, 100, LATER)
    assert record is not None
    assert (record.state, record.featured) == ("listed", "clean and well described")
    await catalog.curate(did(2), "featured", "fast", ALICE, 100, LATER + timedelta(minutes=1))
    (second, first), total = await catalog.curated("featured")
    assert total == 2
    assert (first.did, first.reason, first.curator, first.at) == (did(1), "clean and well described", BOB, LATER)
    assert (first.state, first.document) == ("listed", DATA.document)
    assert (second.state, second.document) == ("unlisted", None)
    assert await catalog.curated("featured", 1, 1) == ((first,), 2)

    await catalog.curate(did(1), "hidden", "names of patients", ALICE, 100, LATER)
    (hidden,), _ = await catalog.curated("hidden")
    assert (hidden.reason, hidden.curator, hidden.state, hidden.document) == (
        ("names of patients", ALICE, "hidden", None)
    )
    (_, first), _ = await catalog.curated("featured")
    assert (first.state, first.document) == ("hidden", None)
    with pytest.raises(InsituError, match="DeadlinePassed"):
        await catalog.curate(did(1), "featured", "again", BOB, 99, LATER)
    record = await catalog.curate(did(1), "featured", None, BOB, 101, LATER)
    assert record is not None
    assert (record.state, record.featured) == ("hidden", "")
    assert [asset.did for asset in (await catalog.curated("featured"))[0]] == [did(2)]


async def test_few_are_featured_at_the_same_time(catalog: Catalog) -> None:
    for number in range(3, 4 + MAX_FEATURED):
        await catalog.put(version(number), NOW)
    for number in range(3, 3 + MAX_FEATURED):
        await catalog.curate(did(number), "featured", "good", ALICE, 100, LATER)
    with pytest.raises(InsituError, match="FeaturedFull"):
        await catalog.curate(did(3 + MAX_FEATURED), "featured", "good", ALICE, 100, LATER)
    await catalog.curate(did(3), "featured", "still good", ALICE, 101, LATER)
    await catalog.curate(did(4), "featured", None, ALICE, 101, LATER)
    await catalog.curate(did(3 + MAX_FEATURED), "featured", "good", ALICE, 100, LATER)
    assert (await catalog.curated("featured"))[1] == MAX_FEATURED


async def test_a_decision_outlives_a_new_version_another_owner_and_a_reorganisation(catalog: Catalog) -> None:
    await catalog.set_listed(did(2), True, 100, NOW)
    newer = version(2, revision=1, type="algorithm", listed=False)
    await catalog.put(newer, NOW)
    await catalog.apply([block(3, registered(newer, 2)), block(4, transferred(newer))], NOW)
    assert await state(catalog, did(2)) == "listed"
    await catalog.apply([block(3, fork="b", back_to=block(2).cursor)], NOW)
    assert await state(catalog, did(2)) == "listed"


async def test_what_is_decided_before_the_chain_names_an_asset_holds_afterwards(catalog: Catalog) -> None:
    await catalog.put(version(3), NOW)
    record = await catalog.set_listed(did(3), False, 100, NOW)
    assert record is not None
    assert record.state == "pending"
    await catalog.apply([block(3, registered(version(3)))], NOW)
    assert await state(catalog, did(3)) == "unlisted"


async def test_what_is_retired_stays_so_whatever_is_decided(catalog: Catalog) -> None:
    await catalog.retire(did(1), NOW)
    await catalog.set_listed(did(1), True, 100, NOW)
    assert await state(catalog, did(1)) == "retired"
    assert await found(catalog, owner=ALICE) == [2]


async def test_nothing_is_decided_about_an_asset_that_is_not_there(catalog: Catalog) -> None:
    assert await catalog.set_listed(did(9), True, 100, NOW) is None
    assert await catalog.curate(did(9), "hidden", "spam", ALICE, 100, NOW) is None


KEPT = """
INSERT INTO asset (did, state, checksum, owner, version, registered_at, updated_at, type)
VALUES (?, 'listed', ?, ?, 1, 1, 1, ?)
"""
VERSION = """
INSERT INTO version (asset, checksum, creator, document, summary, on_chain, pending_since)
SELECT id, checksum, owner, ?, ?, 1, 0 FROM asset WHERE did = ?
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_catalogue_of_an_earlier_release_lists_its_data_sets_alone(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = {"sqlite": "insitu.adapters.catalog", "postgresql": MIGRATIONS}[engine]
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / f"older_{engine}").mkdir()
    scripts = sorted(script.name for script in files(package).iterdir() if script.name.endswith(".sql"))
    listing = next(number for number, name in enumerate(scripts) if name.endswith("_listing.sql"))
    for name in scripts[:listing]:
        shutil.copy(str(files(package) / name), tmp_path / f"older_{engine}")
    schema = new_schema()

    def opened(migrations: str) -> Database:
        if engine == "sqlite":
            return SqliteDatabase(tmp_path / "metadata.db", migrations)
        return postgresql_database(request, migrations, schema)

    def fill(connection: Connection) -> None:
        result = '{"service": [{"main": {"compute": {"workflowExecutionId": "wx1"}}}]}'
        for number, kind, document in ((1, "dataset", "{}"), (2, "algorithm", "{}"), (3, "dataset", result)):
            summary = (
                f'{{"type": "{kind}", "name": "", "description": "", "author": "", "license": "", "price": 0,'
                ' "services": [], "tags": ["air"], "categories": []}'
            )
            connection.execute(KEPT, (did(number), f"{number:064x}", ALICE, kind))
            connection.execute(VERSION, (document, summary, did(number)))
            connection.execute(
                "INSERT INTO facet (kind, value, asset) SELECT 'tag', 'air', id FROM asset WHERE did = ?",
                (did(number),),
            )

    before = opened(f"older_{engine}")
    await before.write(fill)
    await before.close()
    catalog = SqlCatalog(opened(package), Fts5() if engine == "sqlite" else Tsvector())
    assert await catalog.dids() == (did(1),)
    assert [await state(catalog, did(number)) for number in (1, 2, 3)] == ["listed", "unlisted", "unlisted"]
    assert (await catalog.search(Query())).total == 1
    await catalog.close()
