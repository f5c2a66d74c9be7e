"""Waiting: pauses that grow while something keeps failing, a bell that is never missed, and an end by the clock."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from insitu.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try: ``first`` seconds, then ``factor`` times as long, at most ``longest``.

    ``jitter`` is the largest part of a pause that is left out at random, so that many who failed together do not try
    again together.
    """

    first: float
    longest: float
    factor: float = 2.0
    jitter: float = 0.0

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after one failure that ``failures`` others came before."""
        pause = self.first
        for _ in range(failures):
            if pause >= self.longest:
                break
            pause *= self.factor
        return min(pause, self.longest) * (1 - self.jitter * random.random())  # noqa: S311 - spreads load, hides nothing


class Pauses:
    """The pauses of one thing that is tried again and again."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0

    def next(self) -> float:
        """Count a failure and return the seconds to wait after it."""
        pause = self._backoff.pause(self._failures)
        self._failures += 1
        return pause

    def after(self, now: datetime) -> datetime:
        """Count a failure at ``now`` and return when to try again."""
        return now + timedelta(seconds=self.next())

    def restart(self) -> None:
        """Begin with the first pause again."""
        self._failures = 0


class Bell:
    """Wakes everyone who waits for it.

    Take the ``count`` before you look at what the bell is about, and wait with it afterwards: a ring in between is not
    missed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = anyio.Event()

    def ring(self) -> None:
        """Wake everyone who waits now, and everyone who will wait with an older count."""
        self.count += 1
        rung, self._next = self._next, anyio.Event()
        rung.set()

    async def wait(self, seen: int) -> None:
        """Return once the bell has rung since its count was ``seen``, at once if it has already."""
        while self.count == seen:
            await self._next.wait()


@asynccontextmanager
async def move_on_at(clock: Clock, moment: datetime | None) -> AsyncIterator[None]:
    """Cancel the block at ``moment`` by the clock; None means never. Errors in the block come in a group."""
    async with anyio.create_task_group() as tasks:
        if moment is not None:
            tasks.start_soon(_cancel_at, clock, moment, tasks.cancel_scope)
        yield
        tasks.cancel_scope.cancel()


async def _cancel_at(clock: Clock, moment: datetime, scope: anyio.CancelScope) -> None:
    await clock.sleep_until(moment)
    scope.cancel()


async def wait_until(clock: Clock, moment: datetime, event: anyio.Event) -> bool:
    """Return at ``moment`` or when the event is set, whichever is earlier; return whether it is set."""
    async with move_on_at(clock, moment):
        await event.wait()
    return event.is_set()
