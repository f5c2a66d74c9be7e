"""Following a log file while a container writes it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import to_thread

from insitu.adapters.runtime.oci import linux
from insitu.ports.runtime import LogChunk

_CHUNK = 1 << 16
_PATIENCE_SECONDS = 1.0
"""A wake-up may be missed when a folder is removed, so the file is read again after this time anyway."""
_WITHOUT_WATCH_SECONDS = 0.05


async def follow(path: Path, ended: Callable[[], bool], offset: int) -> AsyncIterator[LogChunk]:
    """Yield what the file has from ``offset``, and what is appended, until ``ended`` returns True and all is read."""
    watcher: int | None = None
    with suppress(OSError):  # too many watches, or the folder is gone: then the file is read more often
        watcher = linux.watch(path.parent)
    try:
        while True:
            # Ask before reading, so that everything written before the end is read.
            is_over = await to_thread.run_sync(ended)
            while data := await to_thread.run_sync(_read, path, offset):
                yield LogChunk(offset, data)
                offset += len(data)
            if is_over:
                return
            await _wait(watcher)
    finally:
        if watcher is not None:
            os.close(watcher)


async def _wait(watcher: int | None) -> None:
    if watcher is None:
        await anyio.sleep(_WITHOUT_WATCH_SECONDS)
        return
    with anyio.move_on_after(_PATIENCE_SECONDS):
        await anyio.wait_readable(watcher)
        with suppress(BlockingIOError):
            os.read(watcher, _CHUNK)


def _read(path: Path, offset: int) -> bytes:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(opened, _CHUNK, offset)
    finally:
        os.close(opened)
