"""What the operating system refuses to do with our files, as errors of our table."""

from collections.abc import Iterator
from contextlib import contextmanager

from insitu.domain.errors import InsituError

__all__ = ["told_as"]


@contextmanager
def told_as(what: str) -> Iterator[None]:
    """Turn ``OSError`` into ``StorageFailed``; ``what`` is how messages call the thing that was not kept or read."""
    try:
        yield
    except OSError as error:
        raise InsituError("StorageFailed", f"{what}: {error.strerror or error}") from error
