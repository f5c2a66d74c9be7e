"""The clock of this machine."""

from datetime import UTC, datetime, timedelta

import anyio

LONGEST_NAP = timedelta(seconds=60)
"""Sleeping counts monotonic time; after a suspension or a corrected clock, a sleeper is at most this late."""


class SystemClock:
    """Returns UTC in milliseconds, as times are stored and sent (:data:`insitu.domain.wire.Time`)."""

    def now(self) -> datetime:
        """Return the present time, cut to milliseconds."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    async def sleep_until(self, moment: datetime) -> None:
        """Return at ``moment``, or at once if it has passed."""
        while (left := moment - datetime.now(UTC)) > timedelta():  # noqa: ASYNC110 - only the clock can tell
            await anyio.sleep(min(left, LONGEST_NAP).total_seconds())
