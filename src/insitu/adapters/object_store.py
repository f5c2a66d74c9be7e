"""Objects of a bucket (S3, Google Cloud Storage, Azure): the few calls that adapters need, and its errors as ours.

A url names the bucket and a prefix in it: ``s3://bucket/prefix``, ``gs://…``, ``az://container/prefix``. Answers of a
store can quote requests and keys, so no message and no cause of an error repeats one.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING

from anyio.to_thread import run_sync

from insitu.adapters.object_store_access import SCHEMES, Access, open_bucket
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

__all__ = ["PART", "PIECE", "SCHEMES", "Access", "Objects", "Stored"]

PART = 8 * 1024 * 1024
"""Bytes that are sent at a time."""
PIECE = 4 * 1024 * 1024
"""Bytes that are asked for at a time: a slow reader holds neither a connection nor more than these."""
_PARTS = 9_000
"""Parts of one upload, at most; stores allow 10,000."""

_DENIED = re.compile(r"\b40[13]\b|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Unauthorized|Forbidden")
_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|bucket does not exist")
_ELSEWHERE = re.compile(r"PermanentRedirect|AuthorizationHeaderMalformed|BareRedirect|bare redirect")
_NO_IDENTITY = re.compile(r"169\.254\.|[Cc]redential|metadata\.google|InstanceMetadata|[Tt]oken request")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_SILENT = re.compile(
    r"error sending request|timed out|TimedOut|Connect|dns error|IncompleteMessage|\b50[0234]\b|SlowDown"
    r"|error decoding response body|request or response body error"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its name below the prefix, its size in bytes, when it was stored last, and its version (ETag)."""

    name: str
    size: int
    modified: datetime
    version: str | None = None


class Objects:
    """The objects below one prefix of a bucket. ``part``: bytes that are sent at a time, at least 5 MiB on S3.

    What is said of a method holds for all of them: ``ObjectStoreUnavailable`` where the store does not answer for as
    long as the access is patient, ``ObjectStoreRefused`` where it says no.
    """

    def __init__(self, store: "ObjectStore", name: str, part: int = PART) -> None:
        self._store = store
        self._name = name
        self.part = part

    @classmethod
    def at(cls, url: str, access: Access, name: str = "the object store") -> "Objects":
        """Open the bucket of a url; nothing is asked yet. ``name`` is what errors call it.

        Raises ``ExtraMissing``, ``SettingsInvalid``.
        """
        return cls(open_bucket(url, access), name)

    async def put(self, key: str, data: bytes) -> None:
        """Store an object, whole or not at all, in place of an older one."""
        import obstore

        with self._translated():
            await obstore.put_async(self._store, key, data, use_multipart=False)

    async def create(self, key: str, data: bytes) -> bool:
        """Store an object unless one is there; the answer is whether it was. Of several at once, one succeeds."""
        import obstore

        with self._translated():
            try:
                await obstore.put_async(self._store, key, data, mode="create")
            except (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError):
                return False
        return True

    async def put_file(self, key: str, file: IO[bytes], size: int) -> None:
        """Store ``size`` bytes of an open file, in parts where they are many; the object is there when all of them are.

        What an end of this process leaves of an upload is invisible, and is for the bucket's life-cycle rule.
        """
        import obstore

        if size <= self.part:
            await self.put(key, await run_sync(file.read, size))
            return
        part = max(self.part, -(-size // _PARTS))
        with self._translated():
            await obstore.put_async(self._store, key, _pieces(file, part), chunk_size=part, max_concurrency=4)

    async def size(self, key: str) -> int | None:
        """Return the number of bytes, or None if there is no such object."""
        found = await self.look(key)
        return found.size if found is not None else None

    async def look(self, key: str) -> Stored | None:
        """Return what is known of an object without its bytes, or None if there is none."""
        import obstore

        with self._translated():
            try:
                found = await obstore.head_async(self._store, key)
            except FileNotFoundError:
                return None
        return Stored(found["path"], found["size"], found["last_modified"], found["e_tag"])

    async def read(self, key: str, start: int, end: int, version: str | None = None) -> bytes | None:
        """Return the bytes from ``start`` to before ``end``, which must lie in the object; None if it is not there.

        With ``version`` another version is refused.
        """
        import obstore

        options: GetOptions = {"range": (start, end)}
        if version is not None:
            options["if_match"] = version
        with self._translated():
            try:
                found = await obstore.get_async(self._store, key, options=options)
                return bytes(await found.bytes_async())
            except FileNotFoundError as error:
                if _NO_BUCKET.search(str(error)):
                    raise
                return None

    async def list(self, prefix: str = "", after: str | None = None) -> AsyncIterator[Stored]:
        """Yield the objects of a folder and of those in it, by name; with ``after`` those whose name is greater."""
        import obstore

        with self._translated():
            async for page in obstore.list(self._store, prefix or None, offset=after):
                for one in page:
                    yield Stored(one["path"], one["size"], one["last_modified"])

    async def folders(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the folders in a folder."""
        import obstore

        with self._translated():
            found = await obstore.list_with_delimiter_async(self._store, prefix)
        return tuple(path.rpartition("/")[2] for path in found["common_prefixes"])

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones are no error."""
        import obstore

        for key in keys:
            with self._translated():
                try:
                    await obstore.delete_async(self._store, key)
                except FileNotFoundError as error:
                    if _NO_BUCKET.search(str(error)):
                        raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import obstore

        try:
            yield
        except (obstore.exceptions.BaseError, FileNotFoundError, PermissionError, OSError, ValueError) as error:
            raise _ours(self._name, error) from None


async def _pieces(file: IO[bytes], length: int) -> AsyncIterator[bytes]:
    while piece := await run_sync(file.read, length):
        yield piece


def _ours(name: str, error: Exception) -> InsituError:
    """Return our error for one of the library, by what it is and by words of its text, which is not repeated."""
    text = str(error)
    if _NO_BUCKET.search(text) or isinstance(error, FileNotFoundError):
        return InsituError("ObjectStoreRefused", f"{name}: there is no such bucket")
    if type(error).__name__ == "PreconditionError":
        return InsituError("ObjectStoreRefused", f"{name}: the object was changed meanwhile")
    if _ELSEWHERE.search(text):
        return InsituError("ObjectStoreRefused", f"{name}: the bucket lies in another region")
    if "Denied" in type(error).__name__ or "Unauthenticated" in type(error).__name__ or _DENIED.search(text):
        return InsituError("ObjectStoreRefused", f"{name}: these credentials may not do this, or are wrong")
    if _NO_IDENTITY.search(text):
        return InsituError("ObjectStoreRefused", f"{name}: this machine has no credentials for it")
    if _SILENT.search(text):
        return InsituError("ObjectStoreUnavailable", f"{name} does not answer")
    code = _CODE.search(text)
    return InsituError("ObjectStoreRefused", f"{name} refuses a request: {code[1] if code else type(error).__name__}")
