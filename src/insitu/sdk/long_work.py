"""Work on long documents, which would block the event loop: done in threads, a few at a time."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio.to_thread import run_sync

AT_ONCE = 2
"""Threads share one interpreter, so more of them would finish nothing sooner and make others wait longer."""

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class LongWork:
    """The threads of one service, separate from those of stores and files, which stay free however much waits here."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def run(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Call a function that touches nothing of the loop, and return what it returns."""
        return await run_sync(function, *arguments, limiter=self._limiter)
