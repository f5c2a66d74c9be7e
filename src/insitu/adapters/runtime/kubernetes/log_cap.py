"""No cluster limits what a container prints, so it is counted here, and printing too much ends the step."""

import asyncio
import logging

from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.ending import Ender
from insitu.adapters.runtime.kubernetes.names import LOG_BYTES, object_name
from insitu.adapters.runtime.kubernetes.sealing import MAIN
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason, StepKey
from insitu.domain.ids import ExecutionId

logger = logging.getLogger(__name__)

_AGAIN = 1.0


def log_bytes(pod: Pod) -> int:
    """Return how many bytes of log a Compute Pod may write."""
    notes = (pod.metadata.annotations if pod.metadata is not None else None) or {}
    return int(notes.get(LOG_BYTES, "0"))


class LogCaps:
    """One counter for each running Compute Pod that was observed."""

    def __init__(self, cluster: Cluster, ending: Ender) -> None:
        self._cluster = cluster
        self._ending = ending
        self._counters: dict[str, asyncio.Task[None]] = {}

    def guard(self, execution_id: ExecutionId, key: StepKey, pod: Pod) -> None:
        """Count what the pod prints, unless that is already being done."""
        name = object_name(pod)
        if name not in self._counters:
            task = asyncio.create_task(self._count(execution_id, key, pod), name=f"log cap of {name}")
            self._counters[name] = task
            task.add_done_callback(lambda _: self._counters.pop(name, None))

    async def aclose(self) -> None:
        """Stop counting."""
        tasks = tuple(self._counters.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _count(self, execution_id: ExecutionId, key: StepKey, pod: Pod) -> None:
        limit = log_bytes(pod)
        while True:
            try:
                if await self._count_bytes(object_name(pod), limit + 1) <= limit:
                    return  # the container has ended
                reason = Reason(code="LogLimitExceeded", message=f"more than {limit} bytes of log were written")
                await self._ending.stop(execution_id, key, pod, reason)
            except (ConflictError, RefusedError):
                return
            except InsituError as error:
                logger.warning("%s: the log is not counted: %s", object_name(pod), error)
                await asyncio.sleep(_AGAIN)
            else:
                return

    async def _count_bytes(self, name: str, limit: int) -> int:
        """Read until the container ends or has printed ``limit`` bytes; return how many there were."""
        count = 0
        async with self._cluster.log(name, MAIN, limit=limit) as chunks:
            async for data in chunks:
                count += len(data)
        return count
