"""Logs in an object store, for operators on several machines: ``<execution>/<stage>-<attempt>/<offset>``.

Bytes wait for half a second and then become a segment; when a log is complete, its segments become one object. Waiting
bytes are lost with their process, but the next engine copies them again, from the size that the store has.
"""

import logging
from collections.abc import AsyncIterator
from typing import Self
from weakref import WeakValueDictionary

import anyio
from anyio.abc import TaskGroup
from typing_extensions import override

from insitu.adapters.logs.segments import folder_of, log_keys, look_at, read_from, shrink
from insitu.adapters.logs.tails import Tail
from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId, read_execution_id
from insitu.ports.logs import Logs
from insitu.ports.peers import LogKey
from insitu.ports.runtime import LogChunk

logger = logging.getLogger("insitu.logs")

CLOSING_SECONDS = 10.0


class ObjectLogs(Logs):
    """Logs in a bucket, each at most ``cap`` bytes. Use it as a context: it sends waiting bytes until it is closed.

    ``pause`` is the number of seconds between two segments of a log, and between two checks of a follower for what
    others write.
    """

    def __init__(self, objects: Objects, *, cap: int, pause: float = 0.5) -> None:
        self._objects = objects
        self._cap = cap
        self._pause = pause
        self._tails: dict[str, Tail] = {}
        self._grown: WeakValueDictionary[str, anyio.Event] = WeakValueDictionary()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks, self._tasks = self._tasks, None
        with anyio.move_on_after(CLOSING_SECONDS, shield=True):
            for tail in list(self._tails.values()):
                await self._try_to_send(tail)
        if tasks is not None:
            tasks.cancel_scope.cancel()
            # The tasks raise nothing, so the error that ended the context is not replaced.
            await tasks.__aexit__(None, None, None)

    @override
    async def append(self, execution_id: ExecutionId, key: LogKey, chunk: LogChunk) -> int:
        tail = await self._tail(folder_of(execution_id, key))
        if chunk.offset > tail.size:
            await tail.look()
        if chunk.offset > tail.size and tail.size < self._cap and not tail.complete:
            detail = f"the log {tail.folder} has {tail.size} bytes, but the next chunk begins at {chunk.offset}"
            raise InsituError("StorageFailed", detail)
        tail.add(chunk.data[max(tail.size - chunk.offset, 0) : max(self._cap - chunk.offset, 0)])
        self._send_soon(tail)
        await tail.room()
        return tail.size

    @override
    async def finish(self, execution_id: ExecutionId, key: LogKey) -> None:
        tail = await self._tail(folder_of(execution_id, key))
        await tail.close()
        self._tails.pop(tail.folder, None)
        self._wake(tail.folder)
        try:
            await shrink(self._objects, tail.folder)
        except InsituError as error:
            logger.warning("the log %s is complete, but stays in segments: %s", tail.folder, error)

    @override
    async def finished(self, execution_id: ExecutionId, key: LogKey) -> bool:
        return (await look_at(self._objects, folder_of(execution_id, key))).complete

    @override
    async def size(self, execution_id: ExecutionId, key: LogKey) -> int:
        folder = folder_of(execution_id, key)
        tail = self._tails.get(folder)
        if tail is None:
            return (await look_at(self._objects, folder)).end
        await tail.send()
        await tail.look()
        return tail.end

    @override
    async def read(
        self, execution_id: ExecutionId, key: LogKey, offset: int = 0, *, follow: bool = False
    ) -> AsyncIterator[LogChunk]:
        folder, known = folder_of(execution_id, key), 0
        await self._flush(folder)
        while True:
            # The event is taken before looking, so that nothing is missed.
            grown = self._grown.setdefault(folder, anyio.Event()) if follow else None
            listing = await look_at(self._objects, folder, known)
            async for chunk in read_from(self._objects, folder, listing, offset):
                yield chunk
                offset = chunk.end
            if offset < listing.end:
                known = 0  # the segments have just become one object
                continue
            if grown is None or listing.complete:
                return
            known = listing.end
            with anyio.move_on_after(self._pause):
                await grown.wait()

    @override
    async def keys(self, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        for folder in [name for name in self._tails if name.startswith(f"{execution_id}/")]:
            await self._flush(folder)
        return await log_keys(self._objects, execution_id)

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        prefix = read_execution_id(execution_id)
        for folder in [name for name in self._tails if name.startswith(f"{prefix}/")]:
            await self._tails.pop(folder).drop()
        await self._objects.delete([stored.name async for stored in self._objects.list(prefix)])

    async def _tail(self, folder: str) -> Tail:
        tail = self._tails.get(folder)
        if tail is None:
            tail = Tail(self._objects, folder)
            await tail.look()
            tail = self._tails.setdefault(folder, tail)
        return tail

    async def _flush(self, folder: str) -> None:
        tail = self._tails.get(folder)
        if tail is not None:
            await tail.send()

    def _send_soon(self, tail: Tail) -> None:
        if self._tasks is None:
            raise InsituError("InternalError", "logs in an object store can only be written while they are open")
        if tail.waits and not tail.is_sending:
            tail.is_sending = True
            self._tasks.start_soon(self._send, tail)

    async def _send(self, tail: Tail) -> None:
        """Send waiting bytes, now or after the pause, until none are left."""
        try:
            while tail.waits:
                await anyio.sleep_until(tail.sent + self._pause)
                if not await self._try_to_send(tail):
                    await anyio.sleep(1)
        finally:
            tail.is_sending = False

    async def _try_to_send(self, tail: Tail) -> bool:
        try:
            await tail.send()
        except InsituError as error:
            logger.warning("the log %s waits: %s", tail.folder, error)
            return False
        except Exception:
            # A broken log must not stop the operator.
            logger.exception("the log %s cannot be sent", tail.folder)
            return False
        self._wake(tail.folder)
        return True

    def _wake(self, folder: str) -> None:
        event = self._grown.pop(folder, None)
        if event is not None:
            event.set()
