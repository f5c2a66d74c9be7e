"""Receiving a blob, wherever it is then kept: written as it comes, within its limit, and compared with its digest."""

import hashlib
from collections.abc import AsyncIterator, Callable

from anyio.to_thread import run_sync

from insitu.domain.errors import InsituError

__all__ = ["receive"]

WRITTEN = 1024 * 1024
"""Bytes that are written at a time."""


async def receive(
    chunks: AsyncIterator[bytes], write: Callable[[bytes], None], *, sha256: str | None, limit: int | None
) -> tuple[str, int]:
    """Write what comes, in a thread, and return its SHA-256 and its size in bytes.

    Raises ``BodyTooLarge``, ``ChecksumMismatch`` where the bytes are not those of ``sha256``, and what ``write`` does.
    """
    digest, size, pending = hashlib.sha256(), 0, bytearray()

    def keep(data: bytes) -> None:
        digest.update(data)
        write(data)

    async for chunk in chunks:
        size += len(chunk)
        if limit is not None and size > limit:
            raise InsituError("BodyTooLarge", f"more than {limit} bytes", limit=limit)
        pending += chunk
        if len(pending) >= WRITTEN:
            await run_sync(keep, bytes(pending))
            pending.clear()
    await run_sync(keep, bytes(pending))
    actual = digest.hexdigest()
    if sha256 is not None and sha256 != actual:
        detail = f"the bytes have SHA-256 {actual}, announced was {sha256[:80]!r}"
        raise InsituError("ChecksumMismatch", detail, actual=actual)
    return actual, size
