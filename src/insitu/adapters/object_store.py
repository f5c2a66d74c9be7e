"""The objects of a bucket (S3, Google Cloud Storage, Azure): the few calls that adapters need, with our errors.

A url names the bucket and a prefix in it: ``s3://bucket/prefix``, ``gs://…``, ``az://container/prefix``. A store's
answers can quote requests and keys, so no error repeats one in its message or its cause.

The library is called in threads. Its own coroutines end on threads of its runtime, which then wait for an interpreter
that may be shutting down, and abort the process.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING, TypeVar

import anyio
from anyio.to_thread import run_sync

from insitu.adapters.object_store_access import SCHEMES, Access, open_bucket
from insitu.adapters.object_store_errors import lacks_object, our_errors

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore

__all__ = ["PART", "PIECE", "SCHEMES", "Access", "Objects", "Stored"]

PART = 8 * 1024 * 1024
"""Bytes sent at a time."""
PIECE = 4 * 1024 * 1024
"""Bytes requested at a time, so that a slow reader holds no connection and not more than this."""
_PARTS = 9_000
"""The most parts of one upload; stores allow 10,000."""
_AT_ONCE = 16
"""Calls that one adapter makes at once, each in a thread."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its name below the prefix, its size in bytes, when it was last stored, and its version (ETag)."""

    name: str
    size: int
    modified: datetime
    version: str | None = None


class Objects:
    """The objects below one prefix of a bucket. ``part`` is how many bytes are sent at a time, at least 5 MiB on S3.

    Every method raises ``ObjectStoreUnavailable`` if the store does not answer within the patience of the access, and
    ``ObjectStoreRefused`` if it refuses.
    """

    def __init__(self, store: "ObjectStore", name: str, part: int = PART) -> None:
        self._store = store
        self._name = name
        self._threads = anyio.CapacityLimiter(_AT_ONCE)
        self.part = part

    @classmethod
    def at(cls, url: str, access: Access, name: str = "the object store") -> "Objects":
        """Open the bucket of a url without a request. Errors use ``name`` for it.

        Raises ``ExtraMissing``, ``SettingsInvalid``.
        """
        return cls(open_bucket(url, access), name)

    async def put(self, key: str, data: bytes) -> None:
        """Store an object completely or not at all; it replaces an older one."""
        import obstore

        await self._call(partial(obstore.put, self._store, key, data, use_multipart=False))

    async def create(self, key: str, data: bytes) -> bool:
        """Store an object unless it exists; return whether it was stored. Of several at once, one succeeds."""
        import obstore

        def create() -> bool:
            try:
                obstore.put(self._store, key, data, mode="create")
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                return False
            return True

        return await self._call(create)

    async def put_file(self, key: str, file: IO[bytes], size: int) -> None:
        """Store ``size`` bytes of an open file, in parts if there are many; the object appears once it is complete.

        If this process ends, the rest of an upload is invisible, and the bucket's life-cycle rule deletes it.
        """
        import obstore

        part = max(self.part, -(-size // _PARTS))
        several = size > part
        await self._call(
            partial(obstore.put, self._store, key, file, use_multipart=several, chunk_size=part, max_concurrency=4)
        )

    async def size(self, key: str) -> int | None:
        """Return the number of bytes, or None if there is no such object."""
        found = await self.look(key)
        return found.size if found is not None else None

    async def look(self, key: str) -> Stored | None:
        """Return an object without its bytes, or None if there is none."""
        import obstore

        def look() -> Stored | None:
            try:
                return _stored(obstore.head(self._store, key))
            except FileNotFoundError:
                return None

        return await self._call(look)

    async def read(self, key: str, start: int, end: int, version: str | None = None) -> bytes | None:
        """Return the bytes from ``start`` to before ``end``, which must be inside the object; None if it is missing.

        With ``version``, any other version is refused.
        """
        import obstore

        options: GetOptions = {"range": (start, end)}
        if version is not None:
            options["if_match"] = version

        def read() -> bytes | None:
            try:
                return bytes(obstore.get(self._store, key, options=options).bytes())
            except FileNotFoundError as error:
                if lacks_object(error):
                    return None
                raise

        return await self._call(read)

    async def list(self, prefix: str = "", after: str | None = None) -> AsyncIterator[Stored]:
        """Yield the objects of a folder and its subfolders, by name; with ``after`` only those with a greater name."""
        import obstore

        pages = obstore.list(self._store, prefix or None, offset=after)
        while (page := await self._call(partial(next, pages, None))) is not None:
            for meta in page:
                yield _stored(meta)

    async def folders(self, prefix: str) -> tuple[str, ...]:
        """Return the names of a folder's subfolders."""
        import obstore

        found = await self._call(partial(obstore.list_with_delimiter, self._store, prefix))
        return tuple(path.rpartition("/")[2] for path in found["common_prefixes"])

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; a missing one is not an error."""
        import obstore

        def delete() -> None:
            try:
                obstore.delete(self._store, list(keys))
            except FileNotFoundError as error:
                if not lacks_object(error):
                    raise
                for key in keys if len(keys) > 1 else ():
                    self._delete_one(key)

        await self._call(delete)

    def _delete_one(self, key: str) -> None:
        import obstore

        with suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    async def _call(self, function: Callable[[], T]) -> T:
        with our_errors(self._name):
            return await run_sync(function, limiter=self._threads)


def _stored(found: "ObjectMeta") -> Stored:
    return Stored(found["path"], found["size"], found["last_modified"], found["e_tag"])
