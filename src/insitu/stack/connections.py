"""How many connections there may be and how long one may stay silent, so that nobody can fill a process with them.

A connection is idle while it has no request: before the head of its first request is complete, and between requests.
When there are too many, the one that has been idle longest is closed; if none is idle, the new one is closed.
:mod:`insitu.api.bodies` times the body of a request.
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

logger = logging.getLogger("insitu.connections")

HEAD_SECONDS = 20.0
"""How long the head of a request may take, from its first byte; for the first request, from the connection."""
ACCEPTED_AT_ONCE = 64
"""Connections that wait to be accepted, and that one turn of the event loop accepts."""
KEPT_FREE = 256
"""Open files reserved for chain, stores and containers; a quarter of all if there are few."""
LOG_EVERY = 60.0
"""Seconds between two log lines about the same thing."""


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one, and return the limit (RLIMIT_NOFILE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        logger.warning("the limit of open files stays at %d: %s", soft, error)
        return soft
    return hard


def room_for_connections(open_files: int, wanted: int) -> int:
    """Return how many connections there may be: each may have one more file open."""
    if open_files == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (open_files - min(KEPT_FREE, open_files // 4)) // 2 - ACCEPTED_AT_ONCE // 2))


class Door(socket.socket):
    """A listening socket that closes connections when the process has no files left.

    asyncio leaves such a connection in the queue, tries again as often as the queue is long, and logs each try. This
    one has a spare file to give up, so it can take the connection out of the queue and close it. Takes over
    ``listening``.
    """

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(fileno=listening.detach())
        self._spare = _open_spare()
        self._rarely = _RareWarning()

    @override
    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._rarely.warn("closing new connections at once: %s", error.strerror)
        if self._spare is not None:
            os.close(self._spare)
        with suppress(OSError):
            super().accept()[0].close()
        self._spare = _open_spare()
        # For asyncio, nobody is waiting any more; it looks again in its next turn.
        raise ConnectionAbortedError

    @override
    def close(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
        super().close()


class ServerConnection(H11Protocol):
    """One connection of a server that has at most ``most``."""

    most: int
    rarely: "_RareWarning"
    idle_since = 0.0
    _head: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is waiting for its answer."""
        # Before the first request there is no cycle, whatever its type says.
        return bool(getattr(self.cycle, "response_complete", True))

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._time_head()
        if len(self.connections) > self.most:
            self.rarely.warn("%d connections: closing the one that has been idle longest", self.most)
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
        """Close without waiting for the other side to read what was sent."""
        # It no longer counts, although the loop reports its end only in its next turn.
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        others = (other for other in self.connections if isinstance(other, ServerConnection) and other is not self)
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


def connection_type(most: int) -> type[ServerConnection]:
    """Return a protocol for uvicorn with at most this many connections."""

    class Limited(ServerConnection):
        rarely = _RareWarning()

    Limited.most = most
    return Limited


class _RareWarning:
    """Logs the same thing only once in a while."""

    def __init__(self) -> None:
        self._logged = -LOG_EVERY

    def warn(self, text: str, *arguments: object) -> None:
        if time.monotonic() >= self._logged + LOG_EVERY:
            self._logged = time.monotonic()
            logger.warning(text, *arguments)


def _open_spare() -> int | None:
    try:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
