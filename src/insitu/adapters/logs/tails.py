"""The end of a log that this process writes: bytes wait for a moment, so that not every line becomes an object."""

import anyio

from insitu.adapters.logs.segments import close_chain, extend_chain, look_at
from insitu.adapters.object_store import Objects
from insitu.domain.errors import InsituError

ROOM = 4 * 1024 * 1024
"""Bytes that may wait; with more, the writer waits."""
SEGMENT = 1024 * 1024
"""The most bytes of one segment."""


class Tail:
    """What the store has of a log, and the bytes that wait.

    Attributes
    ----------
    end
        Bytes that the store has, as far as this process knows.
    complete
        Whether the log is closed: nothing can be added.
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
        """Bytes of the log, including those that wait."""
        return self.end + len(self._waiting)

    @property
    def waits(self) -> bool:
        """Whether bytes wait to be sent."""
        return len(self._waiting) > 0

    def add(self, data: bytes) -> None:
        """Add bytes that begin at :attr:`size` to those that wait."""
        if not self.complete:
            self._waiting += data

    async def room(self) -> None:
        """Return once few enough bytes are waiting."""
        while len(self._waiting) > ROOM:
            await self._room.wait()

    async def send(self) -> None:
        """Send the waiting bytes. They stay if the store fails, for instance with ``ObjectStoreUnavailable``."""
        async with self._lock:
            # Later bytes wait for the next time; otherwise every line of a stream would become a segment.
            until = self.size
            while self._waiting and self.end < until:
                data = bytes(self._waiting[:SEGMENT])
                if await extend_chain(self._objects, self.folder, self.end, data):
                    self._advance(self.end + len(data))
                else:
                    await self._follow_another()
            self.sent = anyio.current_time()

    async def close(self) -> None:
        """Send the waiting bytes, and close the log."""
        while self._waiting:
            await self.send()
        async with self._lock:
            while not self.complete:
                if await close_chain(self._objects, self.folder, self.end):
                    self._mark_closed(self.end)
                else:
                    await self._follow_another()

    async def look(self) -> None:
        """Find out what others have written."""
        async with self._lock:
            await self._look()

    async def drop(self) -> None:
        """Drop the waiting bytes once nothing is being sent, because the log is deleted."""
        async with self._lock:
            self._mark_closed(self.end)

    async def _follow_another(self) -> None:
        before = self.end
        await self._look()
        if self.end == before and not self.complete:
            raise InsituError("StorageFailed", f"the log {self.folder} has a segment at {before} that is not listed")

    async def _look(self) -> None:
        listing = await look_at(self._objects, self.folder, self.end)
        # All writers copy the same log, so another one has written exactly the bytes that wait here.
        self._advance(listing.end)
        if listing.complete:
            self._mark_closed(listing.end)

    def _advance(self, end: int) -> None:
        del self._waiting[: max(end - self.end, 0)]
        self.end = max(end, self.end)
        self._room.set()
        self._room = anyio.Event()

    def _mark_closed(self, end: int) -> None:
        self._waiting.clear()
        self.end, self.complete = end, True
        self._room.set()
        self._room = anyio.Event()
