"""One process per data folder: a lock that ends with the process, however it ends."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from insitu.domain.errors import InsituError

__all__ = ["folder_lock"]


@asynccontextmanager
async def folder_lock(path: Path, patience: float = 0.0) -> AsyncIterator[None]:
    """Hold the lock of a data folder; wait ``patience`` seconds for it.

    Raises ``AlreadyRunning`` with the process that holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            await _lock(descriptor, patience)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "another process"
            raise InsituError("AlreadyRunning", f"process {owner} uses {path.parent}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


async def _lock(descriptor: int, patience: float) -> None:
    """Raises ``BlockingIOError`` where somebody else keeps the lock for longer."""
    give_up = anyio.current_time() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if anyio.current_time() >= give_up:
                raise
        else:
            return
        await anyio.sleep(0.05)
