"""Writing files into a workspace while they arrive, counted and hashed on the way."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from anyio.to_thread import run_sync

from insitu.domain.errors import InsituError
from insitu.pods.digests import InputDigest

PIECE = 1024 * 1024
"""Bytes that are written at a time."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Room:
    """How many bytes a workspace may still take: everyone shares the disk of the host."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def take(self, count: int) -> None:
        """Count bytes. Raises ``ConfigurationFailed`` if there is no room for them."""
        self._left -= count
        if self._left < 0:
            detail = f"the fetched files have more than {self._limit} bytes, the disk of the server"
            raise InsituError("ConfigurationFailed", detail)


async def write_file(path: Path, chunks: AsyncIterator[bytes], room: Room, *, mode: int = 0o644) -> InputDigest:
    """Write the chunks into a new file, replacing the file of an earlier try, and return its digest.

    Raises ``ConfigurationFailed``.
    """
    digest, size, pending = hashlib.sha256(), 0, bytearray()
    try:
        descriptor = await run_sync(_open_new, path, mode)
        try:
            async for chunk in chunks:
                room.take(len(chunk))
                size += len(chunk)
                pending += chunk
                if len(pending) >= PIECE:
                    await run_sync(_flush, descriptor, digest, pending)
            await run_sync(_flush, descriptor, digest, pending)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InsituError("ConfigurationFailed", f"{path.name} cannot be written: {error.strerror}") from error
    return InputDigest(digest.hexdigest(), size)


def _open_new(path: Path, mode: int) -> int:
    """Replace the file of an earlier try, which its own user may be unable to write (mode 0555)."""
    path.unlink(missing_ok=True)
    return os.open(path, _NEW, mode)


def _flush(descriptor: int, digest: "hashlib._Hash", pending: bytearray) -> None:
    digest.update(pending)
    while pending:
        del pending[: os.write(descriptor, pending)]
