"""Ending pods and deleting what an execution has on the cluster (E7)."""

from collections.abc import Awaitable, Callable

import anyio
from lightkube.resources.core_v1 import ConfigMap, PersistentVolumeClaim, Pod, Secret
from lightkube.types import CascadeType

from insitu.adapters.kubernetes import Cluster, ConflictError
from insitu.adapters.runtime.kubernetes.names import EXECUTION, STOP, object_name
from insitu.adapters.runtime.kubernetes.observing import Observer
from insitu.adapters.runtime.kubernetes.verdicts import has_run
from insitu.adapters.runtime.kubernetes.watching import PodWatch
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason, StepKey
from insitu.domain.ids import ExecutionId
from insitu.waiting import Backoff, Pauses

_KILL_SECONDS = 30.0
_DELETE_SECONDS = 30.0
_LOOK = Backoff(0.1, 5.0)
"""Between two looks at what is about to go: nothing announces the end of a volume."""


class Ender:
    """Ends steps but keeps their logs; removes executions and keeps nothing."""

    def __init__(self, cluster: Cluster, observer: Observer, watch: PodWatch) -> None:
        self._cluster = cluster
        self._observer = observer
        self._watch = watch

    async def stop(self, execution_id: ExecutionId, key: StepKey, pod: Pod, reason: Reason) -> None:
        """End one pod for a reason.

        A container that ran is ended by the deadline of the pod, because deleting the pod would delete the log.
        """
        name = object_name(pod)
        if has_run(pod):
            notes = {STOP: f"{reason.code} {reason.message}"}
            change = {"metadata": {"annotations": notes}, "spec": {"activeDeadlineSeconds": 1}}
            await self._cluster.merge(Pod, name, change)
        else:
            await self._observer.end(execution_id, key, reason)
            await self._cluster.delete(Pod, name, grace=1)

    async def kill(self, execution_id: ExecutionId) -> None:
        """End every running step and wait for its end, as long as a node that answers may take."""
        reason = Reason(code="Interrupted", message="the step was stopped")

        async def nothing_runs() -> bool:
            found = await self._observer.look(execution_id)
            running = [key for key, status in found.statuses.items() if status.state == "running"]
            for key in running:
                await self.stop(execution_id, key, found.pods[key], reason)
            return not running

        await self._until(nothing_runs, _KILL_SECONDS)

    async def remove(self, execution_id: ExecutionId) -> None:
        """Delete pods, orders, volumes, and finally the record. Raises ``InsituError`` if something stays."""
        if not await self._delete_pods(execution_id, grace=1) and not await self._delete_pods(execution_id, grace=0):
            raise InsituError("InfrastructureFailed", f"pods of {execution_id} cannot be deleted")
        for claim in await self._cluster.list(PersistentVolumeClaim, {EXECUTION: execution_id}):
            await self._cluster.delete(PersistentVolumeClaim, object_name(claim))
        if not await self._until(lambda: self._gone(PersistentVolumeClaim, execution_id), _DELETE_SECONDS):
            raise InsituError("InfrastructureFailed", f"volumes of {execution_id} cannot be deleted")
        # With the record the cluster deletes everything that belongs to it, even what a crash left unfinished.
        await self._cluster.delete(ConfigMap, execution_id, cascade=CascadeType.BACKGROUND)
        self._watch.ring()

    async def _delete_pods(self, execution_id: ExecutionId, *, grace: int) -> bool:
        """Delete the pods with their orders; return whether they are gone. Without grace a lost node is not asked."""
        for pod in await self._cluster.list(Pod, {EXECUTION: execution_id}):
            volumes = (pod.spec.volumes if pod.spec is not None else None) or []
            orders = {volume.secret.secretName for volume in volumes if volume.secret is not None}
            for order in orders:
                await self._cluster.delete(Secret, str(order))
            await self._cluster.delete(Pod, object_name(pod), grace=grace)
        return await self._until(lambda: self._gone(Pod, execution_id), _DELETE_SECONDS)

    async def _gone(self, kind: type[Pod] | type[PersistentVolumeClaim], execution_id: ExecutionId) -> bool:
        return not await self._cluster.list(kind, {EXECUTION: execution_id})

    async def _until(self, holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        """Wait until a condition holds; check it whenever a pod changes."""
        pauses = Pauses(_LOOK)
        with anyio.move_on_after(seconds):
            while True:
                seen = self._watch.bell.count
                try:
                    if await holds():
                        return True
                except ConflictError:
                    continue
                with anyio.move_on_after(pauses.next()):
                    await self._watch.bell.wait(seen)
        return False
