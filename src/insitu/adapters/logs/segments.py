"""A log as objects: segments, each named by the offset of its first byte, which only one writer can create.

The segments of a log form a chain: each begins where the one before it ends, and an empty one closes the chain. A
writer creates the next segment where it believes the end to be, so of two writers one succeeds, and the other looks
again. A closed chain may be replaced by one object, ``whole``, which exists before the first segment is deleted.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio

from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId, read_execution_id
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk

PIECE = 1024 * 1024
"""Bytes of a whole log that are requested at a time."""
_AT_ONCE = 16
"""Segments requested at a time: those of a growing log are small."""
_WHOLE = "whole"
_OFFSET = re.compile(r"[0-9]{12}", re.ASCII)
_FOLDER = re.compile(r"(0|[1-9][0-9]{0,9})-([1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing of objects shows about a log.

    Attributes
    ----------
    start
        The offset at which the listing began.
    segments
        Offset and size of each segment from there on that has bytes.
    complete
        Whether the chain is closed.
    whole
        Size of the object that has the whole log, if it exists.
    """

    start: int
    segments: tuple[tuple[int, int], ...]
    complete: bool
    whole: int | None = None

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        if self.whole is not None:
            return self.whole
        offset, size = self.segments[-1] if self.segments else (self.start, 0)
        return offset + size


def folder_of(execution_id: ExecutionId, key: LogKey) -> str:
    """Return the name of a log. Raises ``InvalidId``: the id becomes a name here, whatever the caller checked."""
    return f"{read_execution_id(execution_id)}/{key.stage}-{key.attempt}"


async def log_keys(objects: Objects, execution_id: ExecutionId) -> tuple[LogKey, ...]:
    """List the logs of an execution, in order."""
    matches = [_FOLDER.fullmatch(name) for name in await objects.folders(read_execution_id(execution_id))]
    found = sorted((int(match[1]), int(match[2])) for match in matches if match is not None)
    return tuple(LogKey(stage=stage, attempt=attempt) for stage, attempt in found)


async def look_at(objects: Objects, folder: str, start: int = 0) -> Listing:
    """List the log from ``start`` on, which is 0 or the end of a segment."""
    after = f"{folder}/{start - 1:012d}" if start > 0 else None
    end, complete, whole = start, False, None
    segments: list[tuple[int, int]] = []
    async for stored in objects.list(folder, after):
        name = stored.name.rpartition("/")[2]
        if name == _WHOLE:
            whole, complete = stored.size, True
        elif not complete and _OFFSET.fullmatch(name) is not None and int(name) == end:
            # Any other offset is not part of the chain: a late segment of a writer that did not know the end.
            complete = stored.size == 0
            segments += [(end, stored.size)] if stored.size > 0 else []
            end += stored.size
    return Listing(start, tuple(segments), complete, whole)


async def read_from(objects: Objects, folder: str, listing: Listing, offset: int) -> AsyncIterator[LogChunk]:
    """Yield the bytes of a listing from ``offset``; end early if the segments have just become one object."""
    if listing.whole is not None:
        for start in range(offset, listing.whole, PIECE):
            data = await objects.read(f"{folder}/{_WHOLE}", start, min(start + PIECE, listing.whole))
            if data is None:
                return
            yield LogChunk(start, data)
        return
    wanted = [(begin, size) for begin, size in listing.segments if begin + size > offset]
    for first in range(0, len(wanted), _AT_ONCE):
        for begin, data in await _together(objects, folder, wanted[first : first + _AT_ONCE]):
            if data is None:
                return
            yield LogChunk(max(begin, offset), data[max(offset - begin, 0) :])


async def extend_chain(objects: Objects, folder: str, offset: int, data: bytes) -> bool:
    """Create the segment at the end of the chain; return False if another writer was first."""
    return await objects.create(f"{folder}/{offset:012d}", data)


async def close_chain(objects: Objects, folder: str, offset: int) -> bool:
    """Close the chain at its end; return False if another writer continued or closed it first."""
    return await objects.create(f"{folder}/{offset:012d}", b"")


async def shrink(objects: Objects, folder: str) -> None:
    """Replace the segments of a closed chain by one object. It may be interrupted anywhere and called again."""
    listing = await look_at(objects, folder)
    if not listing.complete or (listing.whole is None and len(listing.segments) < 2):
        return
    if listing.whole is None:
        content = b"".join([chunk.data async for chunk in read_from(objects, folder, listing, 0)])
        if len(content) != listing.end:
            return  # another process is already doing it
        await objects.put(f"{folder}/{_WHOLE}", content)
    await objects.delete([stored.name async for stored in objects.list(folder) if not stored.name.endswith(_WHOLE)])


async def _together(objects: Objects, folder: str, segments: list[tuple[int, int]]) -> list[tuple[int, bytes | None]]:
    found: dict[int, bytes | None] = {}
    failed: list[InsituError] = []

    async def read(offset: int, size: int) -> None:
        try:
            found[offset] = await objects.read(f"{folder}/{offset:012d}", 0, size)
        except InsituError as error:
            failed.append(error)

    async with anyio.create_task_group() as tasks:
        for offset, size in segments:
            tasks.start_soon(read, offset, size)
    if failed:
        raise failed[0]
    return [(offset, found[offset]) for offset, _ in segments]
