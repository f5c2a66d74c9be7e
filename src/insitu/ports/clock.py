"""The clock, so that rules with deadlines can be tested without waiting."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the current time in UTC, with its time zone."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return at ``moment``, or at once if it has passed."""
        ...
