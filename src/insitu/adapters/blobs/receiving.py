"""Receive a blob for any store: write it as it comes, enforce its limit, compare its digest."""

import hashlib
from collections.abc import AsyncIterator, Callable

from anyio.to_thread import run_sync

from insitu.domain.errors import InsituError

WRITTEN = 1024 * 1024
"""Bytes written at a time."""


async def receive(
    chunks: AsyncIterator[bytes], write: Callable[[bytes], None], *, sha256: str | None, limit: int | None
) -> tuple[str, int]:
    """Write the chunks, in a thread, and return their SHA-256 and size in bytes.

    Raises ``BodyTooLarge``, ``ChecksumMismatch`` if ``sha256`` is another digest, and the errors of ``write``.
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
        detail = f"the bytes have SHA-256 {actual}, but {sha256[:80]!r} was announced"
        raise InsituError("ChecksumMismatch", detail, actual=actual)
    return actual, size
