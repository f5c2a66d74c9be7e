"""Digests of inputs in place: every byte is read once, and again only if the file has changed.

Hashing goes in small steps, so that a stop does not wait for the end of a large file.
"""

import hashlib
import os
import stat
import time
from collections.abc import Generator
from dataclasses import dataclass

from anyio.to_thread import run_sync

from insitu.domain.merkle import FileDigest, files_root

PIECE = 8 * 1024 * 1024
"""Bytes that are hashed at a time."""

SLICE = 0.05
"""Seconds for which a thread works before it checks whether it is still wanted."""

SETTLED = 2.0
"""A file that changed less than this many seconds ago may change again without its times showing it."""

MOST_ENTRIES = 200_000

_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

Identity = tuple[int, int, int, int, int]
Steps = Generator[None, None, "InputDigest"]


@dataclass(frozen=True, slots=True)
class InputDigest:
    """A file: its SHA-256 and size. A folder: the Merkle root over its files by path, and their total size."""

    sha256: str
    size: int
    is_folder: bool = False


class DigestCache:
    """Digests by device, inode, size, and the times of content and inode: what changes when a file does."""

    def __init__(self) -> None:
        self._known: dict[Identity, str] = {}

    def get(self, found: os.stat_result) -> str | None:
        """Return the digest of a file if it has not changed."""
        return self._known.get(_identity(found))

    def put(self, before: os.stat_result, after: os.stat_result, sha256: str) -> None:
        """Remember a digest, unless the file changed while it was read, or so shortly before that it would not show."""
        settled = time.time() - after.st_ctime > SETTLED
        if settled and _identity(before) == _identity(after):
            while len(self._known) >= MOST_ENTRIES:
                self._known.pop(next(iter(self._known)))
            self._known[_identity(after)] = sha256


async def digest_input(opened: int, cache: DigestCache) -> InputDigest:
    """Hash an opened file or folder in threads, without following links or going into other file systems.

    The descriptor stays open. Raises ``OSError``.
    """
    steps = _steps(opened, cache)
    try:
        while True:
            result = await run_sync(_advance, steps)
            if result is not None:
                return result
    finally:
        steps.close()


def _advance(steps: Steps) -> InputDigest | None:
    until = time.monotonic() + SLICE
    try:
        while time.monotonic() < until:
            next(steps)
    except StopIteration as end:
        result: InputDigest = end.value
        return result
    return None


def _steps(opened: int, cache: DigestCache) -> Steps:
    found = os.fstat(opened)
    if not stat.S_ISDIR(found.st_mode):
        sha256 = yield from _file(opened, cache)
        return InputDigest(sha256, os.fstat(opened).st_size)
    files: list[FileDigest] = []
    yield from _folder(opened, "", found.st_dev, files, cache)
    return InputDigest(files_root(files), sum(file.size for file in files), is_folder=True)


def _folder(
    opened: int, above: str, device: int, files: list[FileDigest], cache: DigestCache
) -> Generator[None, None, None]:
    for name in sorted(os.listdir(opened)):
        kind = os.stat(name, dir_fd=opened, follow_symlinks=False)
        # Links and special files are not content, and other file systems are not mounted into the sandbox.
        if kind.st_dev != device or not (stat.S_ISDIR(kind.st_mode) or stat.S_ISREG(kind.st_mode)):
            continue
        entry = os.open(name, _LOOK, dir_fd=opened)
        try:
            shown = above + name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            if stat.S_ISDIR(kind.st_mode):
                yield from _folder(entry, shown + "/", device, files, cache)
            else:
                sha256 = yield from _file(entry, cache)
                files.append(FileDigest(shown, sha256, os.fstat(entry).st_size))
        finally:
            os.close(entry)


def _file(opened: int, cache: DigestCache) -> Generator[None, None, str]:
    before = os.fstat(opened)
    known = cache.get(before)
    yield
    if known is not None:
        return known
    digest = hashlib.sha256()
    at = 0
    while piece := os.pread(opened, PIECE, at):
        digest.update(piece)
        at += len(piece)
        yield
    cache.put(before, os.fstat(opened), digest.hexdigest())
    return digest.hexdigest()


def _identity(found: os.stat_result) -> Identity:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
