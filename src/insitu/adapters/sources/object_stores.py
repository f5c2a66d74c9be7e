"""Objects of stores that fsspec knows; each needs its own package beside fsspec."""

from collections.abc import AsyncIterator
from typing import BinaryIO

import fsspec
from anyio.to_thread import run_sync

from insitu.domain.errors import InsituError

__all__ = ["STORES", "open_object"]

STORES = frozenset({"abfs", "az", "gcs", "gs", "s3"})
PIECE = 1024 * 1024


async def open_object(url: str) -> AsyncIterator[bytes]:
    """Stream an object with the credentials of this process.

    Raises ``ExtraMissing`` without the store's package, ``ConfigurationFailed`` where the store does not give it.
    """
    try:
        file: BinaryIO = await run_sync(lambda: fsspec.open(url, "rb").open())
        try:
            while chunk := await run_sync(file.read, PIECE):
                yield chunk
        finally:
            await run_sync(file.close)
    except ImportError as error:
        raise InsituError("ExtraMissing", f"{url.partition(':')[0]}: needs another package: {error}") from None
    except (OSError, ValueError) as error:
        raise InsituError(
            "ConfigurationFailed", f"the store does not give the object: {type(error).__name__}"
        ) from None
