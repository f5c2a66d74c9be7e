"""One watch over all our pods, which only wakes. The next look finds whatever it misses.

A pod changes about ten times in its life, and only some of that is news: it exists, its container does something, it is
being deleted, it is gone.
"""

import anyio
from lightkube.models.core_v1 import PodStatus
from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.kubernetes_watching import watch_forever
from insitu.adapters.runtime.kubernetes.names import EXECUTION, OURS, object_name
from insitu.domain.ids import ExecutionId
from insitu.waiting import Bell


class PodWatch:
    """Rings its bell when any pod has changed."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.bell = Bell()
        self._news = anyio.Event()
        self._changed: set[ExecutionId] | None = set()
        self._known: dict[str, object] = {}

    async def news(self) -> frozenset[ExecutionId] | None:
        """Wait for a change and return whose pods may have changed, None for any; there is one caller."""
        await self._news.wait()
        self._news = anyio.Event()
        changed, self._changed = self._changed, set()
        return None if changed is None else frozenset(changed)

    def ring(self, execution_id: ExecutionId | None = None) -> None:
        """Report a change: of this execution, or of any."""
        if execution_id is None:
            self._changed = None
        elif self._changed is not None:
            self._changed.add(execution_id)
        self.bell.ring()
        self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        await watch_forever("pods", self._watch, self.ring)

    async def _watch(self) -> None:
        self._known.clear()
        await self._cluster.watch(Pod, OURS, self._seen, self._gone)

    def _seen(self, pod: Pod) -> None:
        name, news = object_name(pod), _news(pod)
        if self._known.get(name) != news:
            self._known[name] = news
            self.ring(_execution(pod))

    def _gone(self, pod: Pod) -> None:
        self._known.pop(object_name(pod), None)
        self.ring(_execution(pod))


def _execution(pod: Pod) -> ExecutionId | None:
    labels = (pod.metadata.labels if pod.metadata is not None else None) or {}
    return ExecutionId(labels[EXECUTION]) if EXECUTION in labels else None


def _news(pod: Pod) -> object:
    """Return the parts of a pod whose change is news."""
    status, meta = pod.status or PodStatus(), pod.metadata
    states = [container.state for container in status.containerStatuses or []]
    return status.phase, status.reason, states, None if meta is None else (meta.deletionTimestamp, meta.uid)
