"""Server-sent events (WHATWG HTML) with heartbeats, until the client leaves or its token expires."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from fastapi import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.gateway.executions.presenter import problem_data
from insitu.ports.clock import Clock

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b":\n"
"""After so many seconds of silence a comment shows proxies and clients that the connection is alive.

It is a line alone. An empty line after it would end a block, which some clients take for an event without data.
"""


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One event; ``data`` is JSON on one line."""

    event: str
    data: str
    id: str | None = None

    def encode(self) -> bytes:
        """Return the bytes of the event stream format."""
        line = f"id: {self.id}\n" if self.id is not None else ""
        return f"{line}event: {self.event}\ndata: {self.data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class EventSource:
    """Events in order, and the id of the last one before them; empty before the first."""

    events: AsyncGenerator[OutgoingEvent, None]
    position: str = ""


class EventStream(Response):
    """Sends what its sources yield, as it comes; the ids of several sources are joined by a slash.

    Parameters
    ----------
    until
        Then it ends with ``token-expired``, so the client can sign in again.
    end
        What is sent once all sources have ended.
    """

    media_type = "text/event-stream"

    def __init__(self, *sources: EventSource, clock: Clock, until: datetime, end: OutgoingEvent | None = None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._sources = sources
        self._positions = [source.position for source in sources]
        self._end = end
        self._clock = clock
        self._until = until

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        outgoing, incoming = anyio.create_memory_object_stream[bytes](0)
        async with anyio.create_task_group() as group, incoming:
            group.start_soon(self._produce, outgoing)
            group.start_soon(self._leave, receive, group.cancel_scope)
            while True:
                content = HEARTBEAT
                try:
                    with anyio.move_on_after(HEARTBEAT_SECONDS):
                        content = await incoming.receive()
                except anyio.EndOfStream:
                    break
                await _send(send, content, more=True)
            await _send(send, b"", more=False)
            group.cancel_scope.cancel()

    async def _produce(self, outgoing: MemoryObjectSendStream[bytes]) -> None:
        async with outgoing, anyio.create_task_group() as group:
            group.start_soon(self._expire, outgoing, group.cancel_scope)
            sending = anyio.Lock()
            async with anyio.create_task_group() as sources:
                for index in range(len(self._sources)):
                    sources.start_soon(self._forward, index, outgoing, sending, group.cancel_scope)
            if self._end is not None:
                await outgoing.send(self._end.encode())
            group.cancel_scope.cancel()

    async def _forward(
        self, index: int, outgoing: MemoryObjectSendStream[bytes], sending: anyio.Lock, scope: anyio.CancelScope
    ) -> None:
        try:
            async with aclosing(self._sources[index].events) as events:
                async for event in events:
                    # An id names only what was sent before it: so one event at a time, and its id is made in its turn.
                    async with sending:
                        if event.id is not None:
                            self._positions[index] = event.id
                        joined = "/".join(self._positions) if event.id is not None else None
                        await outgoing.send(replace(event, id=joined).encode())
        except InsituError as error:
            # The status line has been sent, so the error becomes an event of the stream.
            data = problem_data(error)
            await outgoing.send(OutgoingEvent("error", f'{{"code": "{data["code"]}"}}').encode())
            scope.cancel()

    async def _expire(self, outgoing: MemoryObjectSendStream[bytes], scope: anyio.CancelScope) -> None:
        await self._clock.sleep_until(self._until)
        await outgoing.send(OutgoingEvent("token-expired", "{}").encode())
        scope.cancel()

    async def _leave(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


async def _send(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
