"""Watching for ever: a watch that ends is begun anew, and one that fails is after a pause."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from anyio import sleep

from insitu.adapters.kubernetes import ConflictError, RefusedError
from insitu.domain.errors import InsituError
from insitu.waiting import Backoff, Pauses

__all__ = ["watch_for_ever"]

_log = logging.getLogger(__name__)

RETRY = Backoff(0.1, 5.0)
"""Before a watch that failed is tried again."""


async def watch_for_ever(what: str, watch: Callable[[], Awaitable[None]], between: Callable[[], None]) -> None:
    """Watch until cancelled. ``between`` is called after each watch: something may have changed while nobody looked.

    ``what``: the things that are watched, for the log.
    """
    pauses = Pauses(RETRY)
    while True:
        began = monotonic()
        try:
            await watch()
            pauses.restart()
        except (InsituError, ConflictError, RefusedError) as error:
            _log.warning("the %s cannot be watched: %s", what, error)
            if monotonic() - began > RETRY.longest:
                pauses.restart()  # it held until now, so this is another outage
            await sleep(pauses.next())
        between()
