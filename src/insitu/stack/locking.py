"""The lock on a data folder, which ends with the process that holds it; and rights that keep other users out."""

import fcntl
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio

from insitu.domain.errors import InsituError
from insitu.settings.folder import DataFolder

IGNORE, EVERYTHING = ".gitignore", "*\n"


def close_folders(folder: DataFolder) -> None:
    """Give the data folder and those in it to this user alone, whatever the umask is and earlier versions did.

    Git ignores a data folder that is in a working tree, so that nobody commits its keys. Links and other users' folders
    stay as they are: if the engine is a separate process, root has made them.
    """
    folder.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError), (folder.home / IGNORE).open("x") as ignored:
        ignored.write(EVERYTHING)
    for path in (folder.home, folder.keys, folder.chain, folder.blobs, folder.images, folder.runs, folder.logs):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077:
                path.chmod(0o700)


@asynccontextmanager
async def folder_lock(path: Path, patience: float = 0.0) -> AsyncIterator[None]:
    """Hold the lock of a data folder; wait up to ``patience`` seconds for it.

    Raises ``AlreadyRunning``, naming the process that holds it.
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
    """Take the lock. Raises ``BlockingIOError`` if another process keeps it for longer."""
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
