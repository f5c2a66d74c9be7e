"""A log as objects: segments, each named by the offset of its first byte, which only one writer can create.

The segments of a log are a chain: each begins where the one before ends, and an empty one closes it. A writer knows a
beginning of the chain and creates what follows at its end, so of two writers one succeeds, and the other one looks
again. A closed chain may be replaced by one object, ``whole``, which is there before the first segment goes.
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

__all__ = ["Shape", "close_chain", "extend_chain", "folder_of", "log_keys", "look_at", "read_from", "shrink"]

PIECE = 1024 * 1024
"""Bytes of a whole log that are asked for at a time."""
_AT_ONCE = 16
"""Segments that are asked for at a time: a log that still grows has small ones."""
_WHOLE = "whole"
_OFFSET = re.compile(r"[0-9]{12}", re.ASCII)
_FOLDER = re.compile(r"(0|[1-9][0-9]{0,9})-([1-9][0-9]{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a listing shows of a log.

    Attributes
    ----------
    start
        The offset from which the listing looked.
    segments
        Offset and size of those of the chain from there on that have bytes.
    complete
        Whether the chain is closed.
    whole
        Size of the object that has all of it, if that is there.
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
    """Return the name of a log. Whatever the caller did, the id is checked where it becomes a name: ``InvalidId``."""
    return f"{read_execution_id(execution_id)}/{key.stage}-{key.attempt}"


async def log_keys(objects: Objects, execution_id: ExecutionId) -> tuple[LogKey, ...]:
    """List the logs of an execution, in order."""
    matches = [_FOLDER.fullmatch(name) for name in await objects.folders(read_execution_id(execution_id))]
    found = sorted((int(match[1]), int(match[2])) for match in matches if match is not None)
    return tuple(LogKey(stage=stage, attempt=attempt) for stage, attempt in found)


async def look_at(objects: Objects, folder: str, start: int = 0) -> Shape:
    """Look at what follows ``start``, which is 0 or the end of a segment."""
    after = f"{folder}/{start - 1:012d}" if start > 0 else None
    end, complete, whole = start, False, None
    segments: list[tuple[int, int]] = []
    async for one in objects.list(folder, after):
        name = one.name.rpartition("/")[2]
        if name == _WHOLE:
            whole, complete = one.size, True
        elif not complete and _OFFSET.fullmatch(name) is not None and int(name) == end:
            # Another offset is none of the chain: the late word of a writer that did not know of the end.
            complete = one.size == 0
            segments += [(end, one.size)] if one.size > 0 else []
            end += one.size
    return Shape(start, tuple(segments), complete, whole)


async def read_from(objects: Objects, folder: str, shape: Shape, offset: int) -> AsyncIterator[LogChunk]:
    """Yield the bytes of a shape from ``offset``; it ends early where segments have just become one object."""
    if shape.whole is not None:
        for start in range(offset, shape.whole, PIECE):
            data = await objects.read(f"{folder}/{_WHOLE}", start, min(start + PIECE, shape.whole))
            if data is None:
                return
            yield LogChunk(start, data)
        return
    wanted = [(begin, size) for begin, size in shape.segments if begin + size > offset]
    for first in range(0, len(wanted), _AT_ONCE):
        for begin, data in await _together(objects, folder, wanted[first : first + _AT_ONCE]):
            if data is None:
                return
            yield LogChunk(max(begin, offset), data[max(offset - begin, 0) :])


async def extend_chain(objects: Objects, folder: str, offset: int, data: bytes) -> bool:
    """Create the segment that begins at the end of the chain; the answer is whether nobody else had."""
    return await objects.create(f"{folder}/{offset:012d}", data)


async def close_chain(objects: Objects, folder: str, offset: int) -> bool:
    """Close the chain at its end; the answer is whether nobody else had continued or closed it."""
    return await objects.create(f"{folder}/{offset:012d}", b"")


async def shrink(objects: Objects, folder: str) -> None:
    """Make one object of the many of a closed chain. It may be interrupted anywhere and called again."""
    shape = await look_at(objects, folder)
    if not shape.complete or (shape.whole is None and len(shape.segments) < 2):
        return
    if shape.whole is None:
        content = b"".join([chunk.data async for chunk in read_from(objects, folder, shape, 0)])
        if len(content) != shape.end:
            return  # another one is faster
        await objects.put(f"{folder}/{_WHOLE}", content)
    await objects.delete([one.name async for one in objects.list(folder) if not one.name.endswith(_WHOLE)])


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
