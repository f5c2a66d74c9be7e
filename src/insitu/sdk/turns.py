"""Turns: what the threads, event loops and clients of one process must not do at the same time."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Hashable
from concurrent.futures import Future
from contextlib import asynccontextmanager

__all__ = ["turn"]

_QUEUES: dict[tuple[Hashable, ...], deque[Future[None]]] = {}
"""Who waits for what, in the order in which they came; the first one has the turn."""
_GUARD = threading.Lock()


@asynccontextmanager
async def turn(*of: Hashable) -> AsyncIterator[None]:
    """Wait until everybody of this process who asked for the same before is done; whoever is cancelled leaves."""
    # A forked child has none of its parent's threads, so it must not wait for them.
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
    """Tell the first that it has the turn, once; one that is cancelled leaves by itself and calls the next."""
    if not first.done() and first.set_running_or_notify_cancel():
        first.set_result(None)
