"""One process per data folder: a lock that ends with the process, however it ends."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from insitu.domain.errors import InsituError

__all__ = ["folder_lock"]


@asynccontextmanager
async def folder_lock(path: Path) -> AsyncIterator[None]:
    """Hold the lock of a data folder. Raises ``AlreadyRunning`` with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "another process"
            raise InsituError("AlreadyRunning", f"process {owner} uses {path.parent}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
