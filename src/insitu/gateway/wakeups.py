"""Waking those who wait in this process. A missed or doubled wake-up is harmless: whoever wakes looks again."""

from datetime import datetime

import anyio

from insitu.domain.ids import ExecutionId
from insitu.ports.clock import Clock

__all__ = ["FOLLOWED", "GRANTS", "OUTBOX", "REGISTRATIONS", "RELAYS", "Wakeups", "events_of"]

FOLLOWED, GRANTS, OUTBOX, REGISTRATIONS, RELAYS = "followed", "grants", "outbox", "registrations", "relays"
"""Topics: the chain went on; an agreement needs attention; there is something to do or to send; an execution waits;
a purchase of somebody was sent or given up."""


class Wakeups:
    """A bell for each topic. Ringing wakes everybody who waits for the topic, and the next one who comes to wait.

    Each waiter holds a ticket number: what rang since it last looked is not missed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung: dict[str, int] = {}
        self._events: dict[str, anyio.Event] = {}

    def ring(self, topic: str) -> None:
        """Wake whoever waits for the topic."""
        self._rung[topic] = self._rung.get(topic, 0) + 1
        waiting = self._events.pop(topic, None)
        if waiting is not None:
            waiting.set()

    def count(self, topic: str) -> int:
        """Return how often the topic rang; take it before looking, give it to :meth:`wait` afterwards."""
        return self._rung.get(topic, 0)

    async def wait(self, topic: str, seen: int, *, seconds: float | None = None, until: datetime | None = None) -> None:
        """Return once the topic rang more often than ``seen``, after ``seconds``, or at ``until`` by the clock."""
        if self.count(topic) > seen:
            return
        event = self._events.setdefault(topic, anyio.Event())
        async with anyio.create_task_group() as group:
            if until is not None:
                group.start_soon(self._end_at, until, group.cancel_scope)
            with anyio.move_on_after(seconds):
                await event.wait()
            group.cancel_scope.cancel()

    async def _end_at(self, moment: datetime, scope: anyio.CancelScope) -> None:
        await self._clock.sleep_until(moment)
        scope.cancel()


def events_of(execution_id: ExecutionId) -> str:
    """Return the topic of an execution's events. Some executions share one, so that topics do not pile up."""
    return f"events:{execution_id[-2:]}"
