"""Wake-ups when the chain has grown: pushed over a websocket if the node offers one, otherwise by polling.

A wake-up carries no data and may be lost: a waiter looks at the chain itself, and looks again after a while.
"""

import asyncio
import json
import logging
from typing import Literal
from urllib.parse import urlsplit

import anyio

from insitu.domain.hosts import is_loopback
from insitu.waiting import Backoff, Bell, Pauses

logger = logging.getLogger(__name__)

_SAFETY_NET = 15.0
"""Seconds between two polls while the node pushes."""

_OPEN_WITHIN = 10.0
"""Seconds for the opening handshake."""

_RETRY = Backoff(0.1, 60.0)
"""Between two attempts to subscribe."""


class Heads:
    """Wakes followers when they should look at the chain again; shared by all followers of one node.

    Parameters
    ----------
    url
        http or https; the websocket is tried at the same address.
    poll
        Seconds between two polls while nothing is pushed.
    """

    def __init__(self, url: str, poll: float) -> None:
        parts = urlsplit(url)
        self._url = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()
        # As for requests: a proxy from the environment is not used for this machine.
        self._proxy: Literal[True] | None = None if is_loopback(parts.hostname or "") else True
        self._poll = poll
        self._pushed = False
        self._grown = Bell()
        self._listener: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """The number of wake-ups so far: take it before looking, and pass it to :meth:`wait`."""
        return self._grown.count

    async def wait(self, seen: int) -> None:
        """Return at the next wake-up after ``seen``, or when it is time to look anyway."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen(), name="chain heads")
        with anyio.move_on_after(_SAFETY_NET if self._pushed else self._poll):
            await self._grown.wait(seen)

    async def close(self) -> None:
        """Stop listening."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            await asyncio.wait([listener])

    async def _listen(self) -> None:
        pauses = Pauses(_RETRY)
        while True:
            try:
                await self._subscribe()
            except Exception as error:  # noqa: BLE001 - whatever ends the push, polling goes on and a retry follows
                logger.debug("%s does not push new heads: %s", urlsplit(self._url).hostname, type(error).__name__)
            if self._pushed:
                pauses.restart()
            self._pushed = False
            self._grown.ring()
            await anyio.sleep(pauses.next())

    async def _subscribe(self) -> None:
        """Wake for each pushed head until the connection ends."""
        from websockets.asyncio.client import connect

        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
        async with connect(self._url, open_timeout=_OPEN_WITHIN, close_timeout=1, proxy=self._proxy) as socket:
            await socket.send(json.dumps(request))
            answer = json.loads(await socket.recv())
            if "result" not in answer:
                raise ConnectionError("the node does not offer new heads")
            self._pushed = True
            self._grown.ring()
            async for _ in socket:
                self._grown.ring()
