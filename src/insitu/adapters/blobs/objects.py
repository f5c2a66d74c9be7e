"""Blobs in an object store: ``<first two digits>/<sha256>``, sent when they are complete and verified.

Several gateways may use a store at once. An object gets its name when its upload begins, so the bytes wait in a file
without a name until all of them are here. So nothing that is refused reaches the store, and a killed process leaves no
file.
"""

import re
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync
from typing_extensions import override

from insitu.adapters.blobs.receiving import receive
from insitu.adapters.object_store import PART, PIECE, Objects
from insitu.adapters.storage_failures import storage_errors
from insitu.domain.errors import InsituError
from insitu.ports.blobs import Blobs

_SPOOL = "the folder for incoming files"
_DIGITS = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64})", re.ASCII)


class ObjectBlobs(Blobs):
    """A blob store in a bucket. ``spool`` is a folder with room for incoming files; it is created if necessary."""

    def __init__(self, objects: Objects, spool: Path) -> None:
        self._objects = objects
        self._spool = spool

    @override
    async def put(self, chunks: AsyncIterator[bytes], *, sha256: str | None = None, limit: int | None = None) -> str:
        spool = await run_sync(self._open_spool)
        try:
            digest, size = await receive(chunks, partial(_write, spool), sha256=sha256, limit=limit)
            spool.seek(0)
            await self._objects.put_file(_key(digest), spool, size)
        finally:
            spool.close()
        return digest

    @override
    async def size(self, sha256: str) -> int | None:
        return await self._objects.size(_key(sha256)) if _DIGITS.fullmatch(sha256) is not None else None

    @override
    async def open(self, sha256: str, offset: int = 0) -> AsyncIterator[bytes]:
        size = await self.size(sha256)
        if size is None:
            raise InsituError("NotFound", f"there is no blob {sha256[:80]!a}")
        for start in range(offset, size, PIECE):
            data = await self._objects.read(_key(sha256), start, min(start + PIECE, size))
            if data is None:
                raise InsituError("NotFound", f"the blob {sha256} is gone")
            yield data

    @override
    async def remove(self, sha256: str, *, before: datetime | None = None) -> None:
        if _DIGITS.fullmatch(sha256) is None:
            return
        found = await self._objects.look(_key(sha256)) if before is not None else None
        if before is None or (found is not None and found.modified < before):
            await self._objects.delete([_key(sha256)])

    @override
    async def free(self) -> int | None:
        return None  # a bucket has no limit, and the spool only needs room for the files that are coming in

    @override
    async def older_than(self, moment: datetime) -> tuple[str, ...]:
        found = [
            match[1]
            async for stored in self._objects.list()
            if stored.modified < moment and (match := _KEY.fullmatch(stored.name)) is not None
        ]
        return tuple(sorted(found))

    def _open_spool(self) -> "tempfile.SpooledTemporaryFile[bytes]":
        with storage_errors(_SPOOL):
            self._spool.mkdir(parents=True, exist_ok=True)
        return tempfile.SpooledTemporaryFile(max_size=PART, dir=str(self._spool))


def _write(spool: "tempfile.SpooledTemporaryFile[bytes]", data: bytes) -> None:
    with storage_errors(_SPOOL):
        spool.write(data)


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"
