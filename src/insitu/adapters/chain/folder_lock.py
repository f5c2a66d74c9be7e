"""One chain per folder: a lock that lasts as long as anvil runs, even if the process that started it was killed."""

import asyncio
import fcntl
import os
from pathlib import Path
from typing import Self

from insitu.domain.errors import InsituError

_PATIENCE = 5.0
"""Seconds that a chain may take to save its state after its owner died."""

_CHECK_EVERY = 0.02


class FolderLock:
    """An exclusive lock on a file (flock). anvil inherits the descriptor, so the lock stays until anvil has ended.

    Take one with :meth:`take`. The file has the pid of the owner, for people.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._released = False

    @classmethod
    async def take(cls, path: Path) -> Self:
        """Lock the file. Raises ``AlreadyRunning`` with the owner's pid if it stays locked."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_up = asyncio.get_running_loop().time() + _PATIENCE
        try:
            while not _try_lock(descriptor):
                owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
                if asyncio.get_running_loop().time() > give_up or _is_alive(owner):
                    raise InsituError("AlreadyRunning", f"process {owner} runs the chain of {path.parent}")
                await asyncio.sleep(_CHECK_EVERY)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Give up our share of the lock. Idempotent."""
        if not self._released:
            self._released = True
            os.close(self.descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    """Return whether the owner still runs, so that waiting is pointless."""
    return pid.isdigit() and Path(f"/proc/{pid}").exists() and int(pid) != os.getpid()
