"""How long a pod waits for a gateway, or for its store, that is away."""

import anyio

__all__ = ["PATIENCE", "Patience"]

PATIENCE = 240.0
"""Seconds for which a gateway that is away is asked again: it may be starting anew."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two questions, doubled from one to the next."""


class Patience:
    """The pauses between the questions of one matter, from now on."""

    def __init__(self, seconds: float) -> None:
        self._until = anyio.current_time() + seconds
        self._pause = FIRST_PAUSE

    @property
    def is_over(self) -> bool:
        """Whether another pause would end too late."""
        return anyio.current_time() + self._pause > self._until

    async def pause(self) -> None:
        """Wait, each time for longer."""
        await anyio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
