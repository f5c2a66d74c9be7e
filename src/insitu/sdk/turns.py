"""Turns: for what the threads, event loops and clients of one process must not do at the same time.

It uses asyncio, because anyio cannot wait for a future that another thread or loop completes.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Hashable
from concurrent.futures import Future
from contextlib import asynccontextmanager

_QUEUES: dict[tuple[Hashable, ...], deque[Future[None]]] = {}
"""What is waited for, and the futures of those who wait in order of arrival; the first one has the turn."""
_GUARD = threading.Lock()


@asynccontextmanager
async def turn(*of: Hashable) -> AsyncIterator[None]:
    """Wait until everybody in this process who asked for the same earlier is done. Cancelling leaves the queue."""
    # A forked child does not have its parent's threads, so it must not wait for them.
    key, mine = (os.getpid(), *of), Future[None]()
    with _GUARD:
        queue = _QUEUES.setdefault(key, deque())
        queue.append(mine)
        _call(queue[0])
    try:
        await asyncio.wrap_future(mine)
        yield
    finally:
        with _GUARD:
            queue.remove(mine)
            if queue:
                _call(queue[0])
            else:
                del _QUEUES[key]


def _call(first: Future[None]) -> None:
    """Give the turn to the first, once. A cancelled one leaves the queue by itself and calls the next."""
    if not first.done() and first.set_running_or_notify_cancel():
        first.set_result(None)
