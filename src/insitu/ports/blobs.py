"""The blob store: bytes under their own SHA-256 (result files, uploads, manifests)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol


class Blobs(Protocol):
    """A content-addressed store. One contract suite (tests/ports/blobs) runs over every adapter."""

    async def put(self, chunks: AsyncIterator[bytes], *, sha256: str | None = None, limit: int | None = None) -> str:
        """Store the bytes durably and return their SHA-256 as 64 hexadecimal digits. Storing twice is harmless.

        Bytes that do not match ``sha256`` raise ``ChecksumMismatch``, and more than ``limit`` bytes ``BodyTooLarge``.
        In either case nothing is kept.
        """
        ...

    async def size(self, sha256: str) -> int | None:
        """Return the number of bytes, or None if there is no such blob."""
        ...

    def open(self, sha256: str, offset: int = 0) -> AsyncIterator[bytes]:
        """Stream the bytes from ``offset``. Raises ``NotFound``."""
        ...

    async def remove(self, sha256: str, *, before: datetime | None = None) -> None:
        """Delete the blob, with ``before`` only if it was last stored before then. A missing blob is not an error."""
        ...

    async def free(self) -> int | None:
        """Return how many bytes of disk are free; None when there is no such limit."""
        ...

    async def older_than(self, moment: datetime) -> tuple[str, ...]:
        """Return the blobs that were last stored before ``moment``, and delete what an old crash left behind."""
        ...
