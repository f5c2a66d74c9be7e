"""The contract of ports/catalog.py: what is pending, listed, retired, and whose, whatever order things come in."""

import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insitu.adapters.catalog.store import SqlCatalog
from insitu.domain.errors import InsituError
from insitu.ports.catalog import Catalog, Query, WaitingPlace
from insitu.ports.chain import Block, Cursor
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
from tests.ports.stores import ENGINES, new_schema

LATER = NOW + timedelta(hours=1)


Opener = Callable[[str], SqlCatalog]


@pytest.fixture(params=ENGINES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the catalogue of a name, as another process would."""
    prefix = new_schema()
    return lambda name: open_catalog(request, tmp_path / name, f"{prefix}_{name}")


@pytest.fixture
async def catalog(opened: Opener) -> AsyncIterator[Catalog]:
    store = opened("one")
    yield store
    await store.close()


async def listed(catalog: Catalog) -> tuple[str, ...]:
    found = await catalog.search(Query())
    assert sorted(str(document["id"]) for document in found.documents) == sorted(await catalog.dids())
    assert found.total == len(found.documents)
    return await catalog.dids()


async def test_a_document_is_pending_until_the_chain_names_its_checksum(catalog: Catalog) -> None:
    one = version(1)
    record = await catalog.put(one, NOW)
    assert (record.state, record.checksum, record.owner, record.version) == ("pending", one.checksum, None, 0)
    assert await catalog.document(one.did) is None
    assert await listed(catalog) == ()

    assert await catalog.apply([block(1, registered(one))], LATER) == {one.did}

    record = await catalog.record(one.did)
    assert record is not None
    assert (record.state, record.owner, record.version, record.updated_at) == ("listed", ALICE, 1, LATER)
    found = await catalog.document(one.did)
    assert found is not None
    assert (found.document, found.on_chain) == (one.document, True)
    assert await listed(catalog) == (one.did,)


async def test_versions_are_those_that_the_chain_named_newest_first(catalog: Catalog) -> None:
    first, gone, third = (version(1, revision) for revision in range(3))
    await catalog.put(first, NOW)
    await catalog.put(third, NOW)
    assert await catalog.versions(did(1)) == ()
    await catalog.apply([block(1, registered(first))], NOW)
    await catalog.apply([block(2, registered(gone, 2, BOB), transferred(first))], NOW)
    await catalog.apply([block(3, registered(third, 3))], NOW)

    found = await catalog.versions(did(1))

    assert [(one.number, one.checksum, one.owner, one.here) for one in found] == [
        (3, third.checksum, ALICE, True),
        (2, gone.checksum, BOB, False),
        (1, first.checksum, ALICE, True),
    ]
    assert [int(one.registered_at.timestamp()) for one in found] == [1_900_000_003, 1_900_000_002, 1_900_000_001]
    assert await catalog.versions(did(1), limit=1) == found[:1]
    assert await catalog.versions(did(2)) == ()


async def test_a_document_that_comes_after_its_registration_is_listed_at_once(catalog: Catalog) -> None:
    await catalog.apply([block(1, registered(version(1)), transferred(version(1)))], NOW)
    record = await catalog.put(version(1), NOW)
    assert (record.state, record.owner) == ("listed", BOB)


async def test_a_registration_with_another_checksum_lists_nothing(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    await catalog.apply([block(1, registered(version(1, revision=7)))], NOW)
    record = await catalog.record(did(1))
    assert record is not None
    assert (record.state, record.owner) == ("pending", ALICE)
    assert await listed(catalog) == ()


async def test_an_update_is_listed_when_the_chain_names_it_and_the_old_version_stays_readable(catalog: Catalog) -> None:
    old, new = version(1), version(1, revision=1, name="Flights, corrected")
    await catalog.put(old, NOW)
    await catalog.apply([block(1, registered(old))], NOW)
    assert (await catalog.put(new, NOW)).state == "listed"
    assert await catalog.document(did(1)) == await catalog.document(did(1), old.checksum)
    pending = await catalog.document(did(1), new.checksum)
    assert pending is not None
    assert not pending.on_chain

    await catalog.apply([block(2, registered(new, 2))], NOW)

    assert await catalog.document(did(1)) == await catalog.document(did(1), new.checksum)
    before = await catalog.document(did(1), old.checksum)
    assert before is not None
    assert before.on_chain
    assert (await catalog.search(Query(words=("corrected",)))).total == 1


async def test_an_asset_names_its_newest_version_that_waits(catalog: Catalog) -> None:
    versions = [version(1, revision=number) for number in range(3)]

    async def waiting() -> str | None:
        record = await catalog.record(did(1))
        assert record is not None
        return record.pending

    assert (await catalog.put(versions[0], NOW)).pending == versions[0].checksum
    await catalog.apply([block(1, registered(versions[0]))], NOW)
    assert await waiting() is None
    await catalog.put(versions[1], NOW)
    assert (await catalog.put(versions[2], LATER)).pending == versions[2].checksum
    await catalog.apply([block(2, registered(versions[2], 2))], LATER)
    assert await waiting() == versions[1].checksum
    await catalog.drop_pending(LATER)
    assert await waiting() is None


async def test_a_checksum_has_the_newest_number_that_the_chain_gave_it(catalog: Catalog) -> None:
    versions = [version(1, revision=revision) for revision in range(3)]
    blocks = [block(number, registered(versions[number - 1], number)) for number in (1, 2)]
    await catalog.apply([*blocks, block(3, transferred(versions[0]), registered(version(2)))], NOW)

    known = await catalog.registered(did(1), versions[1].checksum)
    assert known is not None
    assert known.number == 2
    assert await catalog.registered(did(1), versions[2].checksum) is None
    assert await catalog.registered(did(2), versions[1].checksum) is None
    await catalog.apply([block(4, registered(versions[0], 3))], NOW)
    again = await catalog.registered(did(1), versions[0].checksum)
    assert again is not None
    assert again.number == 3


async def test_the_version_before_is_the_newest_that_is_here(catalog: Catalog) -> None:
    versions = [version(1, revision=revision) for revision in range(4)]
    for stored in (versions[0], versions[2]):
        await catalog.put(stored, NOW)
    blocks = [block(number, registered(versions[number - 1], number)) for number in (1, 2, 3, 4)]
    await catalog.apply(blocks, NOW)

    found = [await catalog.before(did(1), number) for number in (1, 2, 3, 4, 5)]
    assert [before.checksum if before else None for before in found] == [
        None,
        versions[0].checksum,
        versions[0].checksum,
        versions[2].checksum,
        versions[2].checksum,
    ]
    assert await catalog.before(did(3), 9) is None
    await catalog.apply([block(3, fork="b", back_to=Cursor(2, blocks[1].cursor.hash))], NOW)
    assert await catalog.before(did(1), 5) == found[1]


async def test_the_same_version_again_changes_nothing(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    await catalog.apply([block(1, registered(version(1)))], NOW)
    assert (await catalog.put(version(1), LATER)).updated_at == NOW
    assert await listed(catalog) == (did(1),)


async def test_a_key_stands_for_the_first_asset_that_its_creator_published_under_it(catalog: Catalog) -> None:
    first = await catalog.put(version(1), NOW, key="k")
    assert await catalog.put(version(2), NOW, key="k") == first
    assert await catalog.record(did(2)) is None
    assert await catalog.published(ALICE, "k") == first
    assert await catalog.published(BOB, "k") is None
    assert await catalog.published(ALICE, "other") is None


async def test_a_key_does_not_stand_for_a_version_that_lost_its_did_to_another(catalog: Catalog) -> None:
    lost, won = version(1), version(1, revision=1)
    await catalog.put(lost, NOW, key="lost")
    await catalog.put(won, NOW, key="won")
    await catalog.apply([block(1, registered(won))], NOW)
    assert await catalog.published(ALICE, "lost") is None
    found = await catalog.published(ALICE, "won")
    assert found is not None
    assert found.checksum == won.checksum
    assert (await catalog.put(version(2), NOW, key="lost")).did == did(2)
    await catalog.apply([block(2, registered(version(1, revision=2), 2))], NOW)
    assert await catalog.published(ALICE, "won") is None, "an updated asset may be anything else"


async def test_pending_versions_are_dropped_after_their_time_and_listed_ones_stay(catalog: Catalog) -> None:
    for number in (1, 2):
        await catalog.put(version(number), NOW, key=str(number))
    await catalog.apply([block(1, registered(version(1)))], NOW)
    await catalog.put(version(1, revision=1), NOW)
    assert (await catalog.waiting())[0] == 2
    assert await catalog.drop_pending(NOW) == 0
    assert await catalog.drop_pending(LATER) == 2
    assert await catalog.waiting() == (0, None)
    assert await catalog.record(did(2)) is None
    assert await catalog.published(ALICE, "2") is None
    assert await catalog.document(did(1), version(1, revision=1).checksum) is None
    assert await listed(catalog) == (did(1),)


async def test_a_result_whose_registration_takes_long_is_not_lost(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW, place=WaitingPlace("gateways", "0xgateway"))
    assert await catalog.drop_pending(NOW + timedelta(days=7)) == 0
    assert await catalog.drop_pending(NOW + timedelta(days=7, seconds=1)) == 1


async def test_a_pending_version_that_is_sent_again_keeps_longer(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    await catalog.put(version(1), LATER)
    assert await catalog.drop_pending(LATER) == 0


async def test_so_many_versions_of_one_holder_may_be_pending(catalog: Catalog) -> None:
    place = WaitingPlace("creators", "alice", share=2, lifetime=3600)
    for number in (1, 2):
        await catalog.put(version(number), NOW, place=place)
    with pytest.raises(InsituError, match="PendingShareUsed") as refused:
        await catalog.put(version(3), NOW + timedelta(minutes=50), place=place)
    assert refused.value.context["retryAfter"] == 600
    assert await catalog.record(did(3)) is None
    await catalog.put(version(2), NOW, place=place)
    await catalog.put(version(3), NOW, place=replace(place, holder="bob"))
    await catalog.apply([block(1, registered(version(1)))], NOW)
    await catalog.put(version(4), NOW, place=place)


async def test_a_full_pool_touches_no_other(catalog: Catalog) -> None:
    for number in (1, 2):
        await catalog.put(version(number), NOW, place=WaitingPlace("strangers", str(number), pool_share=2))
    with pytest.raises(InsituError, match="PendingPoolFull") as refused:
        await catalog.put(version(3), NOW, place=WaitingPlace("strangers", "3", pool_share=2))
    assert refused.value.context["retryAfter"] == 3600
    await catalog.put(version(3), NOW, place=WaitingPlace("creators", "3", pool_share=2))
    await catalog.put(version(4), NOW, place=WaitingPlace("gateways", "4"))


async def test_what_may_be_pending_has_so_many_bytes(catalog: Catalog) -> None:
    size = len(json.dumps(version(1).document).encode())
    limited = WaitingPlace("strangers", "one", share_bytes=2 * size, pool_bytes=3 * size)
    for number in (1, 2):
        await catalog.put(version(number), NOW, place=limited)
    with pytest.raises(InsituError, match="PendingShareUsed"):
        await catalog.put(version(3), NOW, place=limited)
    await catalog.put(version(3), NOW, place=replace(limited, holder="two"))
    with pytest.raises(InsituError, match="PendingPoolFull"):
        await catalog.put(version(4), NOW, place=replace(limited, holder="three"))


async def test_only_a_registrant_of_its_own_asset_is_known(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    assert not await catalog.has_registered(ALICE)
    result = registered(version(1), owner=BOB)  # by its gateway, for somebody else
    await catalog.apply([block(1, result)], NOW)
    assert not await catalog.has_registered(ALICE)
    assert not await catalog.has_registered(BOB)
    await catalog.put(version(2), NOW)
    await catalog.apply([block(2, registered(version(2)))], NOW)
    await catalog.apply([block(3, transferred(version(2)))], NOW)
    assert await catalog.has_registered(ALICE)
    assert not await catalog.has_registered(BOB)


async def test_a_retired_asset_leaves_the_lists_until_its_next_version(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    await catalog.put(version(1, revision=1), NOW)
    await catalog.apply([block(1, registered(version(1)))], NOW)
    record = await catalog.retire(did(1), LATER)
    assert record is not None
    assert record.state == "retired"
    assert await listed(catalog) == ()
    found = await catalog.document(did(1))
    assert found is not None
    assert found.document == version(1).document

    await catalog.apply([block(2, registered(version(1, revision=1), 2))], LATER)
    assert await listed(catalog) == (did(1),)


async def test_retiring_what_is_not_there_does_nothing(catalog: Catalog) -> None:
    assert await catalog.retire(did(1), NOW) is None
    await catalog.put(version(1), NOW)
    record = await catalog.retire(did(1), NOW)
    assert record is not None
    assert record.state == "pending"
    await catalog.apply([block(1, registered(version(1)))], NOW)
    assert await listed(catalog) == (did(1),)


async def test_the_owner_is_the_chains(catalog: Catalog) -> None:
    await catalog.put(version(1), NOW)
    await catalog.apply([block(1, registered(version(1))), block(2, transferred(version(1)))], NOW)
    record = await catalog.record(did(1))
    assert record is not None
    assert (record.owner, record.state) == (BOB, "listed")
    assert (await catalog.search(Query(owner=BOB))).total == 1
    assert (await catalog.search(Query(owner=ALICE))).total == 0


async def test_a_reorganisation_takes_back_what_did_not_happen(catalog: Catalog) -> None:
    old, new, other = version(1), version(1, revision=1), version(2)
    for one in (old, new, other):
        await catalog.put(one, NOW)
    first = block(1, registered(old))
    await catalog.apply([first, block(2, registered(new, 2), registered(other)), block(3, transferred(old))], NOW)
    assert await listed(catalog) == (did(1), did(2))

    await catalog.apply([block(2, fork="b", back_to=first.cursor)], LATER)

    record = await catalog.record(did(1))
    assert record is not None
    assert (record.checksum, record.owner, record.version, record.state) == (old.checksum, ALICE, 1, "listed")
    assert await listed(catalog) == (did(1),)
    assert await catalog.cursors() == (block(2, fork="b").cursor, first.cursor)
    taken_back = await catalog.document(did(1), new.checksum)
    assert taken_back is not None
    assert not taken_back.on_chain
    assert await catalog.drop_pending(LATER) == 0, "what was taken back is pending again"
    await catalog.apply([block(3, registered(new, 2), registered(other))], LATER)
    assert await listed(catalog) == (did(1), did(2))


async def test_cursors_come_newest_first_and_old_ones_are_forgotten(catalog: Catalog) -> None:
    assert await catalog.cursors() == ()
    for start in range(0, 1000, 100):
        await catalog.apply([block(number) for number in range(start, start + 100)], NOW)
    kept = await catalog.cursors()
    assert kept[0] == Cursor(999, block(999).cursor.hash)
    assert [cursor.number for cursor in kept] == sorted((cursor.number for cursor in kept), reverse=True)
    assert 64 <= len(kept) <= 300


async def test_what_is_stored_outlives_the_process(opened: Opener) -> None:
    store = opened("one")
    await store.put(version(1), NOW, key="k")
    await store.apply([block(1, registered(version(1)))], NOW)
    await store.close()
    again = opened("one")
    assert await again.dids() == (did(1),)
    assert [cursor.number for cursor in await again.cursors()] == [1]
    await again.close()


EVENTS = st.lists(
    st.sampled_from(
        [
            *(registered(version(number, revision), revision + 1) for number in (1, 2) for revision in (0, 1)),
            *(transferred(version(number)) for number in (1, 2)),
        ]
    ),
    max_size=3,
)
STEPS = st.lists(st.one_of(EVENTS, st.sampled_from([(1, 0), (1, 1), (2, 0)])), max_size=8)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, abandoned=st.lists(EVENTS, min_size=1, max_size=3), fork_at=st.integers(0, 8), seed=st.integers())
async def test_neither_order_nor_repetition_nor_a_detour_changes_the_end(
    steps: list, abandoned: list, fork_at: int, seed: int, opened: Opener
) -> None:
    """Documents before or after events, blocks twice, a fork that was given up: the same state."""
    blocks = [block(number + 1, *step) for number, step in enumerate(s for s in steps if isinstance(s, list))]
    documents = [version(*step) for step in steps if isinstance(step, tuple)]
    example = new_schema()
    straight, odd = opened(f"{example}_straight"), opened(f"{example}_odd")
    for document in documents:
        await straight.put(document, NOW)
    await straight.apply(blocks, NOW)

    fork_at = min(fork_at, len(blocks))
    await odd.apply(blocks[:fork_at], NOW)
    await odd.apply([block(fork_at + 1 + n, *events, fork="b") for n, events in enumerate(abandoned)], NOW)
    random.Random(seed).shuffle(documents)
    for document in documents:
        await odd.put(document, NOW)
    for one in [*rolled_back(blocks, fork_at), *blocks[fork_at:]]:
        await odd.apply([one], NOW)

    for number in (1, 2):
        assert await odd.record(did(number)) == await straight.record(did(number))
        for revision in (0, 1):
            wanted = version(number, revision).checksum
            assert await odd.document(did(number), wanted) == await straight.document(did(number), wanted)
    assert await odd.search(Query()) == await straight.search(Query())
    await straight.close()
    await odd.close()


def rolled_back(blocks: list[Block], fork_at: int) -> list[Block]:
    """The first block after the fork, which says so; an empty chain begins again."""
    back_to = blocks[fork_at - 1].cursor if fork_at else Cursor(0, "0x" + "0" * 64)
    if fork_at < len(blocks):
        following = blocks[fork_at]
        return [Block(following.cursor, following.timestamp, following.events, back_to)]
    return [block(fork_at + 1, fork="c", back_to=back_to)]
