"""Watching forever: a watch that ends is started again, one that fails after a pause."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from anyio import sleep

from insitu.adapters.kubernetes import ConflictError, RefusedError
from insitu.domain.errors import InsituError
from insitu.waiting import Backoff, Pauses

logger = logging.getLogger(__name__)

RETRY = Backoff(0.1, 5.0)
"""Before a watch that failed is tried again."""


async def watch_forever(what: str, watch: Callable[[], Awaitable[None]], between: Callable[[], None]) -> None:
    """Watch until cancelled. ``between`` is called after each watch: something may have changed in the meantime.

    ``what`` names the watched objects in the log.
    """
    pauses = Pauses(RETRY)
    while True:
        began = monotonic()
        try:
            await watch()
            pauses.restart()
        except (InsituError, ConflictError, RefusedError) as error:
            logger.warning("the %s cannot be watched: %s", what, error)
            if monotonic() - began > RETRY.longest:
                pauses.restart()  # it held until now, so this is a new outage
            await sleep(pauses.next())
        between()
