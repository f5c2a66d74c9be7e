"""Bells that workers and requests of one process ring for each other.

A missed or doubled wake-up is harmless, because everyone who wakes looks at what is stored.
"""

from collections import defaultdict
from datetime import datetime

import anyio

from insitu.domain.ids import ExecutionId
from insitu.ports.clock import Clock
from insitu.waiting import Bell, move_on_at

EVENTS = "events"
"""Some execution has an event."""
FOLLOWED = "followed"
"""The chain has a new block."""
GRANTS = "grants"
"""An agreement needs attention."""
OUTBOX = "outbox"
"""The outbox has something to do."""
REGISTRATIONS = "registrations"
"""An execution waits for the operator."""
RELAYS = "relays"
"""A consumer's purchase was sent or given up."""


class Wakeups:
    """A bell for each topic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: defaultdict[str, Bell] = defaultdict(Bell)

    def ring(self, topic: str) -> None:
        """Wake everyone who waits for the topic, or for any of its kind."""
        kind, _, _ = topic.partition(":")
        for name in {kind, topic}:
            self._bells[name].ring()

    def count(self, topic: str) -> int:
        """Return how often the topic has rung. Take it before looking, and pass it to :meth:`wait` afterwards."""
        return self._bells[topic].count

    async def wait(self, topic: str, seen: int, *, seconds: float | None = None, until: datetime | None = None) -> None:
        """Return once the topic has rung since its count was ``seen``, after ``seconds``, or at ``until``."""
        if self.count(topic) > seen:
            return
        async with move_on_at(self._clock, until):
            with anyio.move_on_after(seconds):
                await self._bells[topic].wait(seen)


def events_of(execution_id: ExecutionId) -> str:
    """Return the topic of an execution's events. Several executions share one, so that topics do not pile up."""
    return f"{EVENTS}:{execution_id[-2:]}"
