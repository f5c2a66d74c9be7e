"""The end of a log that this process writes: bytes that wait for a moment, so that a line is not an object."""

import anyio

from insitu.adapters.logs.segments import close_chain, extend_chain, look_at
from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError

__all__ = ["ROOM", "Tail"]

ROOM = 4 * 1024 * 1024
"""Bytes that may wait; beyond them whoever writes waits."""
SEGMENT = 1024 * 1024
"""Bytes of one segment at most."""


class Tail:
    """What the store has of a log, and what it has not yet.

    Attributes
    ----------
    end
        Bytes that the store has, as far as this process knows.
    complete
        Whether the log is closed: nothing is added any more.
    sent
        When the last segment was sent, in seconds of the event loop.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self.folder = folder
        self.end = 0
        self.complete = False
        self.sent = -float("inf")
        self.is_sending = False
        self._objects = objects
        self._waiting = bytearray()
        self._lock = anyio.Lock()
        self._room = anyio.Event()

    @property
    def size(self) -> int:
        """Bytes of the log, with those that wait."""
        return self.end + len(self._waiting)

    @property
    def waits(self) -> bool:
        """Whether bytes wait to be sent."""
        return len(self._waiting) > 0

    def add(self, data: bytes) -> None:
        """Let bytes wait that follow :attr:`size`."""
        if not self.complete:
            self._waiting += data

    async def room(self) -> None:
        """Wait until few enough bytes wait."""
        while len(self._waiting) > ROOM:
            await self._room.wait()

    async def send(self) -> None:
        """Send what waits. It waits on where the store does not take it: ``ObjectStoreUnavailable`` and the like."""
        async with self._lock:
            # What comes meanwhile waits for the next time, else every line of an endless stream were a segment.
            until = self.size
            while self._waiting and self.end < until:
                data = bytes(self._waiting[:SEGMENT])
                if await extend_chain(self._objects, self.folder, self.end, data):
                    self._reached(self.end + len(data))
                else:
                    await self._follow_another()
            self.sent = anyio.current_time()

    async def close(self) -> None:
        """Send what waits, and close the log."""
        while self._waiting:
            await self.send()
        async with self._lock:
            while not self.complete:
                if await close_chain(self._objects, self.folder, self.end):
                    self._closed(self.end)
                else:
                    await self._follow_another()

    async def look(self) -> None:
        """Learn what others have written."""
        async with self._lock:
            await self._look()

    async def drop(self) -> None:
        """Forget what waits, once nothing is under way to the store: the log is deleted."""
        async with self._lock:
            self._closed(self.end)

    async def _follow_another(self) -> None:
        before = self.end
        await self._look()
        if self.end == before and not self.complete:
            raise InsituError("StorageFailed", f"the log {self.folder} has a segment at {before} that is not listed")

    async def _look(self) -> None:
        shape = await look_at(self._objects, self.folder, self.end)
        # Writers copy the same log, so what another one has written is what waits here.
        self._reached(shape.end)
        if shape.complete:
            self._closed(shape.end)

    def _reached(self, end: int) -> None:
        del self._waiting[: max(end - self.end, 0)]
        self.end = max(end, self.end)
        self._room.set()
        self._room = anyio.Event()

    def _closed(self, end: int) -> None:
        self._waiting.clear()
        self.end, self.complete = end, True
        self._room.set()
        self._room = anyio.Event()
