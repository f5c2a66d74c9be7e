"""The clock, so that rules with deadlines can be tested without waiting."""

from datetime import datetime
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return at ``moment``, at once where it has passed."""
        ...
