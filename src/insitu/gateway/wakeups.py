"""Waking those who wait in this process. A missed or doubled wake-up is harmless: whoever wakes looks again."""

from collections import defaultdict
from datetime import datetime

import anyio

from insitu.domain.ids import ExecutionId
from insitu.ports.clock import Clock
from insitu.waiting import Bell, move_on_at

__all__ = ["FOLLOWED", "GRANTS", "OUTBOX", "REGISTRATIONS", "RELAYS", "Wakeups", "events_of"]

FOLLOWED, GRANTS, OUTBOX, REGISTRATIONS, RELAYS = "followed", "grants", "outbox", "registrations", "relays"
"""Topics: the chain went on; an agreement needs attention; there is something to do or to send; an execution waits;
a purchase of somebody was sent or given up."""


class Wakeups:
    """A bell for each topic (:class:`insitu.waiting.Bell`), and waits that also end by the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: defaultdict[str, Bell] = defaultdict(Bell)

    def ring(self, topic: str) -> None:
        """Wake everyone who waits for the topic."""
        self._bells[topic].ring()

    def count(self, topic: str) -> int:
        """Return how often the topic rang; take it before looking, give it to :meth:`wait` afterwards."""
        return self._bells[topic].count

    async def wait(self, topic: str, seen: int, *, seconds: float | None = None, until: datetime | None = None) -> None:
        """Return once the topic rang since its count was ``seen``, after ``seconds``, or at ``until`` by the clock."""
        with anyio.move_on_after(seconds):
            async with move_on_at(self._clock, until):
                await self._bells[topic].wait(seen)


def events_of(execution_id: ExecutionId) -> str:
    """Return the topic of an execution's events. Some executions share one, so that topics do not pile up."""
    return f"events:{execution_id[-2:]}"
