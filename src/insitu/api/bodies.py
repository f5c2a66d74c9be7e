"""The body of a request: its limit, and what happens to the part that nobody reads.

A server that answers before it has read the whole body leaves a connection that the caller is still writing to. A
caller that never stops sending would keep it busy forever; one that sends a little too much would lose the answer,
because closing a connection with unread bytes resets it. So the server reads a little more, throws it away, and then
closes the connection.
"""

import anyio
from starlette.types import Message, Receive, Scope

from insitu.domain.errors import InsituError

DRAINED_BYTES = 8 * 1024 * 1024
"""How many bytes past the answer are thrown away, so that the caller can read the answer."""

DRAIN_SECONDS = 5

PATIENCE_SECONDS = 30.0
LEAST_RATE = 4096
"""A body may keep us waiting this long, plus one second for every ``LEAST_RATE`` bytes received."""


class Body:
    """One request's body as it arrives.

    Parameters
    ----------
    limit
        Bytes. One more raises ``BodyTooLarge``, whether it is announced or streamed.

    Only the caller's time counts: the application may take as long as it likes between two pieces.
    """

    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._received = 0
        self._waited = 0.0
        headers = dict(scope["headers"])
        self._announced = _length(headers.get(b"content-length", b"0"))
        self._expects = b"expect" in headers
        self._ended = self._announced == 0 and b"transfer-encoding" not in headers

    async def read(self) -> Message:
        """Give the application the next piece. Raises ``BodyTooLarge``, ``BodyTooSlow``."""
        if self._ended:
            return await self._next()  # this is how an application waits for its caller to leave
        before = anyio.current_time()
        with anyio.move_on_after(PATIENCE_SECONDS + self._received / LEAST_RATE - self._waited) as patience:
            message = await self._next()
        if patience.cancelled_caught:
            raise InsituError("BodyTooSlow", f"only {self._received} bytes of the body arrived in time")
        self._waited += anyio.current_time() - before
        if self._received > self._limit or self._announced > self._limit:
            raise InsituError("BodyTooLarge", f"the body has more than {self._limit} bytes", limit=self._limit)
        return message

    async def finish(self) -> bool:
        """Throw the rest away; return False if it is too long to read and the connection has to be closed.

        Call it before the answer is sent: after that there is nothing to receive.
        """
        if self._expects and not self._received:
            return self._ended  # this caller is waiting for permission to send
        enough = self._received + DRAINED_BYTES
        with anyio.move_on_after(DRAIN_SECONDS):
            while not self._ended and self._received <= enough:
                await self._next()
        return self._ended

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._ended = True
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self._ended = not message.get("more_body", False)
        return message


def _length(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) < 20 else 0
