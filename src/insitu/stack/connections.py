"""Connections: how many there may be, and how long one may keep silent, so that nobody fills a process by holding them.

A connection is idle while it has no request: before the head of its first one is complete, and between two. Where there
are as many as there may be, the one that has been idle longest makes room; where none is idle, the new one is closed.
The body of a request is timed by :mod:`insitu.api.bodies`.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
import time
from contextlib import suppress
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["ACCEPTED_AT_ONCE", "Door", "connection_type", "raise_open_files", "room_for_connections"]

logger = logging.getLogger("insitu.connections")

HEAD_SECONDS = 20.0
"""A request's head must be complete so long after its first byte; the first one so long after the connection."""
ACCEPTED_AT_ONCE = 64
"""Connections that wait to be accepted, and that one turn of the event loop accepts."""
KEPT_FREE = 256
"""Open files for chain, stores and containers; a quarter of all where there are few."""
TOLD_EVERY = 60.0
"""Seconds between two lines of the log about the same thing."""


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one, and return how many there may be (RLIMIT_NOFILE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return hard


def room_for_connections(open_files: int, wanted: int) -> int:
    """Return how many connections there may be: each may have a file open beside itself."""
    if open_files == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (open_files - min(KEPT_FREE, open_files // 4)) // 2 - ACCEPTED_AT_ONCE // 2))


class Door(socket.socket):
    """A listening socket that lets nobody wait where the process has no files left.

    asyncio leaves such a connection in the queue, tries again as often as the queue is long, and logs each try. This
    one has a file to give up, so it can take the connection out of the queue, and close it. Takes over ``listening``.
    """

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(fileno=listening.detach())
        self._spare = _spare()
        self._told = _Seldom()

    @override
    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._told.warn("connections are closed at once: %s", error.strerror)
        if self._spare is not None:
            os.close(self._spare)
        with suppress(OSError):
            super().accept()[0].close()
        self._spare = _spare()
        # To asyncio, nobody is waiting any more; it looks again in its next turn.
        raise ConnectionAbortedError

    @override
    def close(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        super().close()


class Connection(H11Protocol):
    """One connection of a server that has at most ``most``."""

    most: int
    told: "_Seldom"
    idle_since = 0.0
    _head: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is no request that is not answered."""
        # Before the first request there is no cycle, whatever its type says.
        return bool(getattr(self.cycle, "response_complete", True))

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._time_head()
        if len(self.connections) > self.most:
            self.told.warn("%d connections: the one that is idle longest makes room for a new one", self.most)
            self._make_room()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_head()

    @override
    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timing()
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close without waiting for what the other side does not take."""
        # It does not count any more, though the loop tells of its end only in its next turn.
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        others = (other for other in self.connections if isinstance(other, Connection) and other is not self)
        idle = (other for other in others if other.is_idle)
        min(idle, key=lambda other: other.idle_since, default=self).abort()

    def _time_head(self) -> None:
        if not self.is_idle:
            self._stop_timing()
        elif self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self.abort)

    def _stop_timing(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def connection_type(most: int) -> type[Connection]:
    """Return the protocol of a server that has at most so many connections, for uvicorn."""

    class Limited(Connection):
        told = _Seldom()

    Limited.most = most
    return Limited


class _Seldom:
    """Says the same thing once in a while."""

    def __init__(self) -> None:
        self._said = -TOLD_EVERY

    def warn(self, text: str, *arguments: object) -> None:
        if time.monotonic() >= self._said + TOLD_EVERY:
            self._said = time.monotonic()
            logger.warning(text, *arguments)


def _spare() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
