"""Translate the operating system's errors about our files into errors of our table."""

from collections.abc import Iterator
from contextlib import contextmanager

from insitu.domain.errors import InsituError


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn ``OSError`` into ``StorageFailed``; ``what`` names the thing in the message that was not stored or read."""
    try:
        yield
    except OSError as error:
        raise InsituError("StorageFailed", f"{what}: {error.strerror or error}") from error
