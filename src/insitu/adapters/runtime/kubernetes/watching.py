"""One watch over all pods of ours; it only wakes. Whatever it misses, the next look finds."""

import logging

import anyio
from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.names import OURS
from insitu.domain.errors import InsituError

__all__ = ["PodWatch"]

_log = logging.getLogger(__name__)

_FIRST, _LONGEST = 0.1, 5.0


class PodWatch:
    """Wakes whoever waits when any pod has changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rung = anyio.Event()
        self._news = anyio.Event()

    async def news(self) -> None:
        """Return when something may have changed since the last call; there is one caller."""
        await self._news.wait()
        self._news = anyio.Event()

    def rung(self) -> anyio.Event:
        """Return the event of the next change; take it before looking, wait for it after."""
        return self._rung

    def ring(self) -> None:
        """Wake everybody."""
        rung, self._rung = self._rung, anyio.Event()
        rung.set()
        self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        delay = _FIRST
        while True:
            try:
                await self._cluster.watch(Pod, OURS, self._seen)
                delay = _FIRST
            except (InsituError, ConflictError, RefusedError) as error:
                _log.warning("the pods cannot be watched: %s", error)
                await anyio.sleep(delay)
                delay = min(2 * delay, _LONGEST)
            # What changed while nobody watched.
            self.ring()

    def _seen(self, _: Pod) -> None:
        self.ring()
