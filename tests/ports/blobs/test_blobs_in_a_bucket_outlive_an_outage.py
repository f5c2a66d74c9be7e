"""What the adapter of buckets promises beyond the contract: an outage loses nothing, and a refusal leaves nothing."""

import hashlib
import random
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from insitu.adapters.blobs.objects import ObjectBlobs
from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError
from tests.doubles.object_store import ObjectStoreServer, running_object_store
from tests.ports.stores import access_to, new_bucket

pytestmark = pytest.mark.needs("object-store")

MIB = 1024 * 1024


@pytest.fixture
def server() -> Iterator[ObjectStoreServer]:
    """A server that the test may kill."""
    with running_object_store() as running:
        yield running


def blobs_at(server: ObjectStoreServer, url: str, spool: Path, *, patience: float = 20.0) -> ObjectBlobs:
    objects = Objects.at(url, access_to(server, patience), "the object store of results")
    objects.part = 5 * MIB
    return ObjectBlobs(objects, spool)


def bucket_of(url: str) -> str:
    return url.split("/")[2]


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def content(size: int) -> AsyncIterator[bytes]:
    """The same bytes each time, no two pieces of them alike."""
    source = random.Random(5)
    for _ in range(size // MIB):
        yield source.randbytes(MIB)


async def read(blobs: ObjectBlobs, sha256: str) -> bytes:
    return b"".join([piece async for piece in blobs.open(sha256)])


async def test_a_blob_of_several_parts_comes_back_and_leaves_no_part(server: ObjectStoreServer, tmp_path: Path) -> None:
    url = new_bucket(server)
    blobs = blobs_at(server, url, tmp_path)
    sha256 = await blobs.put(content(23 * MIB))
    data = await read(blobs, sha256)
    assert len(data) == 23 * MIB
    assert hashlib.sha256(data).hexdigest() == sha256
    assert b"".join([piece async for piece in blobs.open(sha256, 22 * MIB + 5)]) == data[22 * MIB + 5 :]
    assert server.uploads(bucket_of(url)) == []
    assert entries(tmp_path) == []


async def test_what_is_refused_never_reaches_the_store(server: ObjectStoreServer, tmp_path: Path) -> None:
    url = new_bucket(server)
    blobs = blobs_at(server, url, tmp_path)
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await blobs.put(content(12 * MIB), sha256="0" * 64)
    with pytest.raises(InsituError, match="BodyTooLarge"):
        await blobs.put(content(12 * MIB), limit=11 * MIB)
    assert entries(server.buckets / bucket_of(url)) == []
    assert entries(tmp_path) == []


async def test_a_server_that_dies_during_an_upload_and_comes_back_gets_all_of_it(
    server: ObjectStoreServer, tmp_path: Path
) -> None:
    url = new_bucket(server)
    blobs = blobs_at(server, url, tmp_path)
    stored: list[str] = []

    async def put() -> None:
        stored.append(await blobs.put(content(96 * MIB)))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(put)
            while not server.uploads(bucket_of(url)):  # noqa: ASYNC110 (another process makes it)
                await anyio.sleep(0.005)
            server.kill()
            assert stored == []
            await anyio.sleep(0.5)
            server.start()
    assert hashlib.sha256(await read(blobs, stored[0])).hexdigest() == stored[0]


async def test_a_server_that_stays_away_is_reported_and_nothing_is_half_there(
    server: ObjectStoreServer, tmp_path: Path
) -> None:
    blobs = blobs_at(server, new_bucket(server), tmp_path, patience=0.5)
    server.kill()
    with pytest.raises(InsituError, match="ObjectStoreUnavailable: the object store of results does not answer"):
        await blobs.put(content(12 * MIB))
    with pytest.raises(InsituError, match="ObjectStoreUnavailable"):
        await blobs.size("0" * 64)
    server.start()
    assert await blobs.older_than(datetime.now(UTC) + timedelta(days=1)) == ()
    assert entries(tmp_path) == []


KILLED_WHILE_RECEIVING = """
import pathlib, sys, anyio
from insitu.adapters.blobs.objects import ObjectBlobs
from insitu.adapters.object_store import Access, Objects

async def endless():
    for _ in range(40):
        yield b"x" * (1024 * 1024)
    print("received", flush=True)
    await anyio.sleep_forever()

url, endpoint, credentials, spool = sys.argv[1:]
objects = Objects.at(url, Access(endpoint=endpoint, credentials_file=pathlib.Path(credentials)))
anyio.run(ObjectBlobs(objects, pathlib.Path(spool)).put, endless())
"""


async def test_a_killed_process_leaves_no_blob_and_no_file(server: ObjectStoreServer, tmp_path: Path) -> None:
    url = new_bucket(server)
    arguments = [url, server.endpoint, str(server.credentials_file()), str(tmp_path)]
    async with await anyio.open_process([sys.executable, "-c", KILLED_WHILE_RECEIVING, *arguments]) as process:
        assert process.stdout is not None
        assert await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 100) == b"received"
        process.kill()
    assert entries(tmp_path) == []
    assert entries(server.buckets / bucket_of(url)) == []


async def test_two_gateways_have_the_same_blobs(server: ObjectStoreServer, tmp_path: Path) -> None:
    url = new_bucket(server)
    one, other = blobs_at(server, url, tmp_path / "one"), blobs_at(server, url, tmp_path / "two")
    sha256 = await one.put(content(2 * MIB))
    assert await read(other, sha256) == await read(one, sha256)
    await other.remove(sha256)
    assert await one.size(sha256) is None
