"""How long a pod waits for a gateway, or for its store, that is away."""

import anyio

from insitu.waiting import Backoff, Pauses

PATIENCE = 240.0
"""Seconds for which a gateway that does not answer is asked again: it may be restarting."""
RETRY = Backoff(0.5, 10.0, jitter=0.2)
"""Between two requests."""


class Patience:
    """The time that is left for one request, and the pauses before it is made again."""

    def __init__(self, seconds: float) -> None:
        self._until = anyio.current_time() + seconds
        self._pauses = Pauses(RETRY)
        self._pause = self._pauses.next()

    @property
    def is_over(self) -> bool:
        """Whether another pause would end too late."""
        return anyio.current_time() + self._pause > self._until

    async def pause(self) -> None:
        """Wait, each time for longer."""
        await anyio.sleep(self._pause)
        self._pause = self._pauses.next()
