"""Logs as append-only files: ``<root>/<execution>/<stage>-<attempt>.log``, with ``.end`` beside a complete one.

Only one process writes a log: the engine that owns the execution. It wakes readers in its own process; readers in
other processes that share the folder check again from time to time.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from weakref import WeakValueDictionary

import anyio
from anyio.to_thread import run_sync
from typing_extensions import override

from insitu.adapters.storage_failures import storage_errors
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId, read_execution_id
from insitu.ports.logs import Logs
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk

PIECE = 64 * 1024
"""Bytes read at a time."""

_NAME = re.compile(r"(0|[1-9][0-9]{0,9})-([1-9][0-9]{0,9})\.(?:log|end)", re.ASCII)


class FileLogs(Logs):
    """Logs below ``root``, each at most ``cap`` bytes. Only the owner of the process may read the files.

    ``recheck`` is the number of seconds after which a follower checks again although nothing woke it: a safety net if
    this process writes the logs, and the only way if another process does.
    """

    def __init__(self, root: Path, *, cap: int, recheck: float = 5.0) -> None:
        self._root = root
        self._recheck = recheck
        self._cap = cap
        self._grown: WeakValueDictionary[tuple[ExecutionId, LogKey], anyio.Event] = WeakValueDictionary()

    @override
    async def append(self, execution_id: ExecutionId, key: LogKey, chunk: LogChunk) -> int:
        size = await run_sync(_append, self._path(execution_id, key), chunk, self._cap)
        self._wake(execution_id, key)
        return size

    @override
    async def finish(self, execution_id: ExecutionId, key: LogKey) -> None:
        await run_sync(_finish, self._path(execution_id, key))
        self._wake(execution_id, key)

    @override
    async def finished(self, execution_id: ExecutionId, key: LogKey) -> bool:
        return await run_sync(_mark(self._path(execution_id, key)).exists)

    @override
    async def size(self, execution_id: ExecutionId, key: LogKey) -> int:
        return await run_sync(_size, self._path(execution_id, key))

    @override
    async def read(
        self, execution_id: ExecutionId, key: LogKey, offset: int = 0, *, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        path = self._path(execution_id, key)
        while True:
            # The order matters: the mark is set after the last byte, and the event is taken before reading, so neither
            # bytes nor the end can be missed.
            grown = self._grown.setdefault((execution_id, key), anyio.Event()) if follow else None
            complete = await run_sync(_mark(path).exists)
            while data := await run_sync(_piece, path, offset):
                yield LogChunk(offset, data)
                offset += len(data)
            if grown is None or complete:
                return
            with anyio.move_on_after(self._recheck):
                await grown.wait()

    @override
    async def keys(self, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        names = await run_sync(_names, self._folder(execution_id))
        matches = (_NAME.fullmatch(name) for name in names)
        found = {(int(match[1]), int(match[2])) for match in matches if match is not None}
        return tuple(LogKey(stage=stage, attempt=attempt) for stage, attempt in sorted(found))

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        await run_sync(_remove, self._folder(execution_id))

    def _wake(self, execution_id: ExecutionId, key: LogKey) -> None:
        event = self._grown.pop((execution_id, key), None)
        if event is not None:
            event.set()

    def _folder(self, execution_id: ExecutionId) -> Path:
        # The id becomes the name of a folder, so it is checked here whatever the caller did.
        return self._root / read_execution_id(execution_id)

    def _path(self, execution_id: ExecutionId, key: LogKey) -> Path:
        return self._folder(execution_id) / f"{key.stage}-{key.attempt}.log"


def _mark(path: Path) -> Path:
    return path.with_suffix(".end")


def _append(path: Path, chunk: LogChunk, cap: int) -> int:
    with _log_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            return _write(descriptor, path, chunk, cap)
        finally:
            os.close(descriptor)


def _write(descriptor: int, path: Path, chunk: LogChunk, cap: int) -> int:
    size = os.fstat(descriptor).st_size
    if chunk.offset > size and size < cap:
        raise InsituError("StorageFailed", f"{path.name} has {size} bytes, but the next chunk begins at {chunk.offset}")
    fresh = chunk.data[max(size - chunk.offset, 0) : max(cap - chunk.offset, 0)]
    while fresh:
        written = os.pwrite(descriptor, fresh, size)
        size, fresh = size + written, fresh[written:]
    return size


def _finish(path: Path) -> None:
    with _log_errors(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (path, _mark(path)):
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _size(path: Path) -> int:
    with _log_errors(path), suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _piece(path: Path, offset: int) -> bytes:
    with _log_errors(path), suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(offset)
        return file.read(PIECE)
    return b""


def _names(folder: Path) -> list[str]:
    with _log_errors(folder), suppress(FileNotFoundError):
        return [entry.name for entry in folder.iterdir()]
    return []


def _remove(folder: Path) -> None:
    with _log_errors(folder), suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _log_errors(path: Path) -> AbstractContextManager[None]:
    return storage_errors(f"the log {path.name}")
