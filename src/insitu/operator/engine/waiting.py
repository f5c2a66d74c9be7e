"""Waiting: for an event or a time, with growing delays after failures, and for changes of a record."""

from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import anyio

from insitu.domain.ids import ExecutionId
from insitu.ports.clock import Clock

__all__ = ["Backoff", "Changes", "wait_until"]


async def wait_until(clock: Clock, moment: datetime, event: anyio.Event) -> bool:
    """Return at ``moment`` or when the event is set; tell whether it is set."""
    async with anyio.create_task_group() as tasks:

        async def alarm() -> None:
            await clock.sleep_until(moment)
            tasks.cancel_scope.cancel()

        tasks.start_soon(alarm)
        await event.wait()
        tasks.cancel_scope.cancel()
    return event.is_set()


class Backoff:
    """Delays that double from ``first`` to ``longest`` seconds while something keeps failing."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0

    def failed(self, now: datetime) -> datetime:
        """Count a failure and return when to try again."""
        delay = min(self._first * 2 ** min(self.failures, 30), self._longest)
        self.failures += 1
        return now + timedelta(seconds=delay)

    def succeeded(self) -> None:
        """Begin with the first delay again."""
        self.failures = 0


class Changes:
    """Wakes whoever waits for a change of an execution's record; nothing is kept where nobody waits."""

    def __init__(self) -> None:
        self._waiting: WeakValueDictionary[ExecutionId, anyio.Event] = WeakValueDictionary()

    def next(self, execution_id: ExecutionId) -> anyio.Event:
        """Return the event of the next change. Take it before reading the record, wait for it after."""
        return self._waiting.setdefault(execution_id, anyio.Event())

    def tell(self, execution_id: ExecutionId) -> None:
        """Wake everybody who waits for this execution."""
        event = self._waiting.pop(execution_id, None)
        if event is not None:
            event.set()
