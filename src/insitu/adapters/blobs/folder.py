"""Blobs in a folder of this machine: ``<first two digits>/<sha256>``, written elsewhere and renamed, so never partial.

Bytes and name of a stored blob are on disk (fsync of the file and of the folder). What a killed process leaves is in
``incoming/``, and the next sweep deletes it.
"""

import os
import re
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import anyio
from anyio.to_thread import run_sync
from typing_extensions import override

from insitu.adapters.blobs.receiving import receive
from insitu.adapters.storage_failures import storage_errors
from insitu.domain.errors import InsituError
from insitu.ports.blobs import Blobs

PIECE = 1024 * 1024
"""Bytes read at a time."""
ABANDONED = 24 * 3600.0
"""Seconds after which an unfinished upload counts as left by a killed process."""

_STORE = "the blob store"
_DIGITS = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FolderBlobs(Blobs):
    """A blob store in ``root``, which is created if necessary. Several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    @override
    async def put(self, chunks: AsyncIterator[bytes], *, sha256: str | None = None, limit: int | None = None) -> str:
        writing = await run_sync(_Writing, self._incoming)
        try:
            actual, _ = await receive(chunks, writing.write, sha256=sha256, limit=limit)
            await run_sync(writing.keep, self._path(actual))
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(writing.discard)
        return actual

    @override
    async def size(self, sha256: str) -> int | None:
        return await run_sync(self._size, sha256)

    @override
    async def open(self, sha256: str, offset: int = 0) -> AsyncIterator[bytes]:
        file = await run_sync(self._open, sha256, offset)
        try:
            with storage_errors(_STORE):
                while piece := await run_sync(file.read, PIECE):
                    yield piece
        finally:
            file.close()

    @override
    async def remove(self, sha256: str, *, before: datetime | None = None) -> None:
        await run_sync(self._remove, sha256, before.timestamp() if before is not None else float("inf"))

    @override
    async def free(self) -> int | None:
        return await run_sync(self._free)

    @override
    async def older_than(self, moment: datetime) -> tuple[str, ...]:
        return await run_sync(self._older_than, moment.astimezone(UTC).timestamp())

    def _path(self, sha256: str) -> Path:
        # Ids come from outside; anything but digits could lead out of the folder.
        if _DIGITS.fullmatch(sha256) is None:
            raise InsituError("NotFound", "a blob is named by 64 lower-case hexadecimal digits")
        return self._root / sha256[:2] / sha256

    @storage_errors(_STORE)
    def _size(self, sha256: str) -> int | None:
        if _DIGITS.fullmatch(sha256) is None:
            return None
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    @storage_errors(_STORE)
    def _open(self, sha256: str, offset: int) -> BinaryIO:
        path = self._path(sha256)
        try:
            file = path.open("rb", buffering=0)
            file.seek(offset)
        except FileNotFoundError:
            raise InsituError("NotFound", f"there is no blob {sha256}") from None
        return file

    @storage_errors(_STORE)
    def _free(self) -> int:
        self._root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free

    @storage_errors(_STORE)
    def _remove(self, sha256: str, before: float) -> None:
        if _DIGITS.fullmatch(sha256) is None:
            return
        path = self._path(sha256)
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()

    @storage_errors(_STORE)
    def _older_than(self, moment: float) -> tuple[str, ...]:
        for path in _files(self._incoming):
            if path.stat().st_mtime < max(moment, time.time() - ABANDONED):
                path.unlink(missing_ok=True)
        kept = [path for folder in _folders(self._root) for path in _files(folder)]
        return tuple(sorted(path.name for path in kept if path.stat().st_mtime < moment))


class _Writing:
    """A blob that is being received. All methods run in a thread."""

    @storage_errors(_STORE)
    def __init__(self, folder: Path) -> None:
        self._path = folder / uuid.uuid4().hex
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    @storage_errors(_STORE)
    def write(self, data: bytes) -> None:
        """Append data; one write may take only part of it."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    @storage_errors(_STORE)
    def keep(self, path: Path) -> None:
        """Make first the bytes and then the name durable."""
        os.fsync(self._file)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(path)
        for folder in (path.parent, path.parent.parent):
            _sync_folder(folder)

    def discard(self) -> None:
        """Close the file; delete it unless it was kept."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if len(path.name) == 2] if root.exists() else []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.exists() else []
