"""Uploads in the gateway's memory: room is reserved first, and uploads that no list names any more are found."""

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from insitu.adapters.agreements.store import SqlAgreements
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.ports.agreement_changes import AddUpload, Judge, NameUploads, Remember
from insitu.ports.agreement_records import Standing, Upload, UploadLimits
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, DATA
from tests.ports.agreements.agreement_samples import CONSUMER, PROVIDER, draft_of, started, terms_of

KIB = 1024
ROW = 4 * KIB
DID = "did:nv:" + "ab" * 32
DAY = timedelta(days=1)


def upload(name: str, size: int = 10 * KIB, owner: Address = CONSUMER) -> Upload:
    return Upload(name, owner, "", size, START)


def limits(holder: str = "one", *, stranger: bool = False, **changes: int) -> UploadLimits:
    return replace(UploadLimits(holder, 100 * KIB, stranger, 150 * KIB, 300 * KIB), **changes)


async def received(agreements: Agreements, name: str, owner: Address = CONSUMER) -> Upload:
    """A complete upload with its own blob."""
    await agreements.reserve_upload(upload(name, owner=owner), 1, limits(name))
    whole = replace(upload(name, KIB, owner), sha256=name[0] * 64)
    await agreements.apply([AddUpload(whole)])
    return whole


async def test_room_is_taken_before_anything_is_received(agreements: Agreements) -> None:
    assert await agreements.reserve_upload(upload("a", 80 * KIB), 80 * KIB, limits()) == 80 * KIB
    assert await agreements.upload("a") is None
    with pytest.raises(InsituError, match="UploadShareUsed"):
        await agreements.reserve_upload(upload("b", 30 * KIB), 30 * KIB, limits())
    assert await agreements.reserve_upload(upload("b", 30 * KIB), 1, limits()) == 20 * KIB - 2 * ROW
    whole = replace(upload("a", KIB), sha256="a" * 64)
    await agreements.apply([AddUpload(whole)])
    assert await agreements.upload("a") == whole
    assert await agreements.reserve_upload(upload("c", 30 * KIB), 30 * KIB, limits()) == 30 * KIB


async def test_strangers_share_their_room_and_touch_no_other(agreements: Agreements) -> None:
    for holder in ("net 1", "net 2"):
        await agreements.reserve_upload(upload(holder, 60 * KIB), 1, limits(holder, stranger=True))
    with pytest.raises(InsituError, match="UploadsFull"):
        await agreements.reserve_upload(upload("net 3", 60 * KIB), 60 * KIB, limits("net 3", stranger=True))
    await agreements.reserve_upload(upload("a", 90 * KIB), 90 * KIB, limits("a"))
    with pytest.raises(InsituError, match="UploadsFull"):
        await agreements.reserve_upload(upload("b", 90 * KIB), 90 * KIB, limits("b"))


async def test_empty_files_take_room_too(agreements: Agreements) -> None:
    little = limits(share=3 * ROW)
    for number in range(3):
        assert await agreements.reserve_upload(upload(str(number), 0), 0, little) == 0
    with pytest.raises(InsituError, match="UploadShareUsed"):
        await agreements.reserve_upload(upload("4", 0), 0, little)


async def test_many_at_once_stay_within_the_room(agreements: Agreements) -> None:
    granted: list[int] = []

    async def one(number: int) -> None:
        try:
            granted.append(await agreements.reserve_upload(upload(str(number), 20 * KIB), 20 * KIB, limits()))
        except InsituError as error:
            assert error.code == "UploadShareUsed"

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)
    assert granted == [20 * KIB] * 4


async def test_what_no_list_names_is_found_after_its_time(agreements: Agreements) -> None:
    one, other = await received(agreements, "a"), await received(agreements, "b")
    await agreements.apply([NameUploads(DID, CONSUMER, ("b", "unknown"), START + timedelta(hours=20))])
    assert await agreements.unnamed_uploads(START) == ()
    assert await agreements.unnamed_uploads(START + timedelta(hours=1)) == ((one, ()),)
    late = START + timedelta(hours=21)
    assert await agreements.unnamed_uploads(late) == ((one, ()), (other, (DID,)))
    await agreements.apply([NameUploads(DID, CONSUMER, ("b",), late)])
    assert await agreements.unnamed_uploads(late) == ((one, ()),)
    assert await agreements.unnamed_uploads(late + DAY) == ((one, ()), (other, (DID,)))


async def test_uploads_of_an_earlier_release_stay(agreements: SqlAgreements) -> None:
    """Their lists did not say for which DID; the migration notes them so."""
    await received(agreements, "a")
    noted = "INSERT INTO upload_names SELECT upload_id, '', at FROM uploads"
    await agreements._database.write(lambda db: db.execute(noted))
    assert await agreements.unnamed_uploads(START + 400 * DAY) == ()


async def test_a_list_names_uploads_of_its_sealer_only(agreements: Agreements) -> None:
    one = await received(agreements, "a", PROVIDER)
    await agreements.apply([NameUploads(DID, CONSUMER, ("a",), START + DAY)])
    assert await agreements.unnamed_uploads(START + timedelta(hours=1)) == ((one, ()),)


async def test_what_a_registered_asset_names_takes_no_room_of_strangers(agreements: Agreements) -> None:
    for holder in ("a", "b"):
        await agreements.reserve_upload(upload(holder, 70 * KIB), 1, limits(holder, stranger=True))
    with pytest.raises(InsituError, match="UploadsFull"):
        await agreements.reserve_upload(upload("c", 70 * KIB), 70 * KIB, limits("c", stranger=True))
    await agreements.apply([NameUploads(DID, CONSUMER, ("a",), START, needed=True)])
    await agreements.reserve_upload(upload("c", 70 * KIB), 70 * KIB, limits("c", stranger=True))
    with pytest.raises(InsituError, match="UploadShareUsed"):
        await agreements.reserve_upload(upload("d", 40 * KIB), 40 * KIB, limits(CONSUMER.lower()))


async def test_removing_leaves_what_was_named_meanwhile_and_what_others_need(agreements: Agreements) -> None:
    for name in ("a", "b", "c"):
        await received(agreements, name)
    await agreements.apply([AddUpload(replace(upload("c2", KIB), sha256="c" * 64))])
    await agreements.apply([NameUploads(DID, CONSUMER, ("b",), START + DAY)])
    assert await agreements.remove_uploads(["a", "b", "c"], START + DAY) == ("a" * 64,)
    assert [await agreements.upload(name) is not None for name in ("a", "b", "c", "c2")] == [False, True, False, True]


async def test_nobody_fills_the_memory_with_names(agreements: Agreements) -> None:
    await received(agreements, "a")
    names = [NameUploads(f"did:nv:{number:064x}", CONSUMER, ("a",), START) for number in range(101)]
    await agreements.apply(names[:100])
    await agreements.apply(names[:100])
    with pytest.raises(InsituError, match="InvalidRequest"):
        await agreements.apply(names[100:])


async def test_versions_of_agreements_and_executions_are_known_to_be_in_use(agreements: Agreements) -> None:
    assert not await agreements.uses(DID)
    await agreements.apply([Remember(AGREEMENT, terms_of())])
    await agreements.apply([Judge(AGREEMENT, Standing.GRANTED, START, versions={DID: "d2" * 32})])
    assert await agreements.uses(DID)
    assert (await agreements.reads(DID), await agreements.reads(DATA)) == (True, False)
    assert not await agreements.uses(DATA)
    await started(agreements)
    assert DATA in draft_of()(0)[1].versions
    assert await agreements.uses(DATA)
    assert await agreements.reads(DATA)
    assert not await agreements.uses(DID[:-1])
