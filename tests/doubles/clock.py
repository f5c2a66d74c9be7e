"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import anyio

__all__ = ["ControlledClock"]

START = datetime(2030, 1, 1, tzinfo=UTC)


class ControlledClock:
    """Implements :class:`insitu.ports.clock.Clock`; ``advance`` and ``jump_to`` wake the sleepers."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._moved = anyio.Event()

    def now(self) -> datetime:
        """Return the time that the test has set."""
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the test has moved the clock to ``moment`` or beyond."""
        while self._now < moment:
            await self._moved.wait()

    def advance(self, seconds: float) -> None:
        """Move the clock; a negative number moves it back, as a correction of the machine's clock does."""
        self.jump_to(self._now + timedelta(seconds=seconds))

    def jump_to(self, moment: datetime) -> None:
        """Set the clock and wake the sleepers whose time has come."""
        self._now = moment
        moved, self._moved = self._moved, anyio.Event()
        moved.set()
