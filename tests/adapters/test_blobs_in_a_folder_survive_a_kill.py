"""What only the folder adapter promises: no partial blobs, and leftovers of a killed process are deleted."""

import hashlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from insitu.adapters.blobs.folder import FolderBlobs

KILLED_WHILE_WRITING = """
import anyio, os, sys, pathlib
from insitu.adapters.blobs.folder import FolderBlobs, PIECE

async def endless():
    yield b"x" * PIECE
    print("written", flush=True)
    await anyio.sleep_forever()

anyio.run(FolderBlobs(pathlib.Path(sys.argv[1])).put, endless())
"""


async def test_a_killed_process_leaves_no_blob_and_its_leftover_is_swept(tmp_path: Path) -> None:
    async with await anyio.open_process([sys.executable, "-c", KILLED_WHILE_WRITING, str(tmp_path)]) as process:
        assert process.stdout is not None
        assert await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 100) == b"written"
        process.kill()
    assert len(list((tmp_path / "incoming").iterdir())) == 1
    assert await FolderBlobs(tmp_path).older_than(datetime.now(UTC) + timedelta(days=1)) == ()
    assert list((tmp_path / "incoming").iterdir()) == []


async def test_only_the_owner_of_the_process_may_read_a_blob(tmp_path: Path) -> None:
    async def piece() -> AsyncIterator[bytes]:
        yield b"hello"

    sha256 = await FolderBlobs(tmp_path).put(piece())
    assert sha256 == hashlib.sha256(b"hello").hexdigest()
    assert (tmp_path / sha256[:2] / sha256).stat().st_mode & 0o777 == 0o600
