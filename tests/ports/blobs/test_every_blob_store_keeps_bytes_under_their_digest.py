"""The contract of ports/blobs.py, over every adapter."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from insitu.adapters.blobs.folder import FolderBlobs
from insitu.adapters.blobs.objects import ObjectBlobs
from insitu.domain.errors import InsituError
from insitu.ports.blobs import Blobs
from tests.ports.stores import BUCKET, objects_in

HELLO = hashlib.sha256(b"hello").hexdigest()
TRICKS = ["../" + HELLO, "..", "", "/etc/passwd", HELLO.upper(), HELLO + "\n", HELLO[:-1], "\0" * 64, "incoming"]


@pytest.fixture(params=["folder", BUCKET])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "bucket":
        return ObjectBlobs(objects_in(request), tmp_path / "spool")
    return FolderBlobs(tmp_path / "blobs")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(blobs: Blobs, sha256: str, offset: int = 0) -> bytes:
    return b"".join([piece async for piece in blobs.open(sha256, offset)])


async def test_bytes_come_back_under_their_digest(blobs: Blobs) -> None:
    assert await blobs.put(pieces(b"he", b"", b"llo")) == HELLO
    assert await blobs.size(HELLO) == 5
    assert await read(blobs, HELLO) == b"hello"
    assert await read(blobs, HELLO, 3) == b"lo"
    assert await read(blobs, HELLO, 5) == b""
    assert await read(blobs, HELLO, 9) == b""


async def test_a_large_blob_is_streamed_in_pieces(blobs: Blobs) -> None:
    data = bytes(range(256)) * 20_000
    sha256 = await blobs.put(pieces(*(data[at : at + 70_000] for at in range(0, len(data), 70_000))))
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert len([piece async for piece in blobs.open(sha256)]) > 1
    assert await read(blobs, sha256, 1_234_567) == data[1_234_567:]


async def test_no_bytes_are_a_blob_too(blobs: Blobs) -> None:
    empty = await blobs.put(pieces())
    assert await blobs.size(empty) == 0
    assert await read(blobs, empty) == b""


async def test_storing_again_is_harmless(blobs: Blobs) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(blobs.put, pieces(b"hello"))
    assert await read(blobs, HELLO) == b"hello"


async def test_other_bytes_than_announced_are_refused_and_not_kept(blobs: Blobs) -> None:
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await blobs.put(pieces(b"hello!"), sha256=HELLO)
    assert await blobs.size(HELLO) is None
    assert await blobs.size(hashlib.sha256(b"hello!").hexdigest()) is None


async def test_more_bytes_than_the_limit_are_refused_and_not_kept(blobs: Blobs) -> None:
    assert await blobs.put(pieces(b"hel", b"lo"), limit=5) == HELLO
    with pytest.raises(InsituError, match="BodyTooLarge"):
        await blobs.put(pieces(b"hel", b"lo!"), limit=5)
    assert await blobs.size(hashlib.sha256(b"hello!").hexdigest()) is None


async def test_a_source_that_fails_leaves_nothing(blobs: Blobs) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"hello"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await blobs.put(broken())
    assert await blobs.size(HELLO) is None
    assert await blobs.older_than(datetime.now(UTC) + timedelta(days=1)) == ()


async def test_a_removed_blob_is_gone_and_removing_it_again_is_harmless(blobs: Blobs) -> None:
    await blobs.put(pieces(b"hello"))
    for _ in range(2):
        await blobs.remove(HELLO)
        assert await blobs.size(HELLO) is None
    with pytest.raises(InsituError, match="NotFound"):
        await read(blobs, HELLO)


@pytest.mark.parametrize("name", TRICKS)
async def test_a_name_that_is_not_a_digest_reaches_nothing(blobs: Blobs, name: str) -> None:
    await blobs.put(pieces(b"hello"))
    assert await blobs.size(name) is None
    await blobs.remove(name)
    with pytest.raises(InsituError, match="NotFound"):
        await read(blobs, name)
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await blobs.put(pieces(b"hello"), sha256=name)
    assert await read(blobs, HELLO) == b"hello"


async def test_what_was_stored_again_in_the_meantime_is_not_removed(blobs: Blobs) -> None:
    await blobs.put(pieces(b"hello"))
    now = datetime.now(UTC)
    await blobs.remove(HELLO, before=now - timedelta(hours=1))
    assert await read(blobs, HELLO) == b"hello"
    for _ in range(2):
        await blobs.remove(HELLO, before=now + timedelta(hours=1))
        assert await blobs.size(HELLO) is None


async def test_the_sweeper_sees_what_was_last_stored_before_a_moment(blobs: Blobs) -> None:
    await blobs.put(pieces(b"hello"))
    now = datetime.now(UTC)
    assert await blobs.older_than(now - timedelta(hours=1)) == ()
    assert await blobs.older_than(now + timedelta(hours=1)) == (HELLO,)


async def test_a_folder_says_how_much_its_disk_still_takes(blobs: Blobs, tmp_path: Path) -> None:
    free = await blobs.free()
    if isinstance(blobs, ObjectBlobs):
        assert free is None
    else:
        assert free is not None
        assert 0 < free <= shutil.disk_usage(tmp_path).total
