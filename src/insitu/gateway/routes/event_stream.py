"""Server-sent events (WHATWG HTML) with heartbeats, until the client leaves or its token expires."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from fastapi import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.gateway.executions.presenter import problem_data
from insitu.ports.clock import Clock

__all__ = ["EventStream", "OutgoingEvent"]

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


class EventStream(Response):
    """Sends what a source yields. At ``until`` it ends with ``token-expired``, so the client can sign in again."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[OutgoingEvent, None], clock: Clock, until: datetime) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._source = source
        self._clock = clock
        self._until = until

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        outgoing, incoming = anyio.create_memory_object_stream[OutgoingEvent](0)
        async with anyio.create_task_group() as group, incoming:
            group.start_soon(self._produce, outgoing)
            group.start_soon(self._leave, receive, group.cancel_scope)
            while True:
                event: OutgoingEvent | None = None
                try:
                    with anyio.move_on_after(HEARTBEAT_SECONDS):
                        event = await incoming.receive()
                except anyio.EndOfStream:
                    break
                await _send(send, event.encode() if event is not None else HEARTBEAT, more=True)
            await _send(send, b"", more=False)
            group.cancel_scope.cancel()

    async def _produce(self, outgoing: MemoryObjectSendStream[OutgoingEvent]) -> None:
        async with outgoing, anyio.create_task_group() as group:
            group.start_soon(self._expire, outgoing, group.cancel_scope)
            try:
                async with aclosing(self._source) as source:
                    async for event in source:
                        await outgoing.send(event)
            except InsituError as error:
                # The status line has been sent, so the error becomes an event of the stream.
                data = problem_data(error)
                await outgoing.send(OutgoingEvent("error", f'{{"code": "{data["code"]}"}}'))
            group.cancel_scope.cancel()

    async def _expire(self, outgoing: MemoryObjectSendStream[OutgoingEvent], scope: anyio.CancelScope) -> None:
        await self._clock.sleep_until(self._until)
        await outgoing.send(OutgoingEvent("token-expired", "{}"))
        scope.cancel()

    async def _leave(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()


async def _send(send: Send, body: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})
