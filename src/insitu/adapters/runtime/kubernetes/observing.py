"""Looking at an execution: its record and its pods. What is told as ended was stored before, so it stays so."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes.inspecting import inspected, inspection_of
from insitu.adapters.runtime.kubernetes.names import EXECUTION, step_name
from insitu.adapters.runtime.kubernetes.record import Records
from insitu.adapters.runtime.kubernetes.verdicts import PodPatience, judge, step_of
from insitu.domain.execution import Reason, StepKey, StepStatus
from insitu.domain.ids import ExecutionId

__all__ = ["Observation", "Observer"]


@dataclass(frozen=True, slots=True)
class Observation:
    """Every step's status, and the pods that there are.

    ``ending``: those that have to be ended, with their reason. ``doubtful``: those whose volume has to be looked at
    before their end is known.
    """

    statuses: Mapping[StepKey, StepStatus]
    pods: Mapping[StepKey, Pod]
    ending: Mapping[StepKey, Reason]
    doubtful: frozenset[StepKey] = frozenset()


class Observer:
    """Looks, judges, and remembers ends.

    Parameters
    ----------
    limits
        What enforces each limit here; kept up to date by whoever probes.
    """

    def __init__(self, cluster: Cluster, records: Records, patience: PodPatience, limits: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._records = records
        self._patience = patience
        self.limits = limits

    async def look(self, execution_id: ExecutionId) -> Observation:
        """Look at an execution now."""
        record, listed = await asyncio.gather(self._records.get(execution_id), self._list(execution_id))
        pods = {key: pod for pod in listed if (key := step_of(pod)) is not None}
        known = dict(record.ended) if record is not None else {}
        started = record.started if record is not None else frozenset()
        if started - known.keys() - pods.keys():
            # A step that a record calls started had its pod before. So one that is not listed after the record was
            # read has vanished; in the list that was read beside it, it may only have been too new.
            listed = await self._list(execution_id)
            pods = {key: pod for pod in listed if (key := step_of(pod)) is not None}
        looks = {key: pod for pod in listed if (key := inspection_of(pod)) is not None}
        now = datetime.now(UTC)
        found, ending, doubtful = dict(known), {}, set()
        for key, pod in pods.items():
            if key in known:
                continue
            verdict = judge(pod, key, now, self._patience, self.limits)
            found[key] = verdict.status
            if _is_doubtful(verdict.status):
                seen = inspected(verdict.status, looks.get(key), now)
                found[key] = seen or StepStatus(state="running", started_at=verdict.status.started_at)
                if seen is None and key not in looks:
                    doubtful.add(key)
            if verdict.ending and verdict.status.reason is not None:
                ending[key] = verdict.status.reason
        for key in started - found.keys():
            reason = Reason(code="Interrupted", message="the pod of the step is gone")
            found[key] = StepStatus(state="ended", reason=reason, ended_at=now)
        fresh = {key: status for key, status in found.items() if status.state == "ended" and key not in known}
        if fresh:
            found |= await self._records.end(execution_id, fresh, record)
        return Observation(found, pods, ending, frozenset(doubtful))

    async def has_ended(self, execution_id: ExecutionId, key: StepKey) -> bool:
        """Tell whether a step's pod writes no more log, by the pod alone; nothing is stored."""
        pod = await self._cluster.get(Pod, step_name(execution_id, key))
        return pod is None or judge(pod, key, datetime.now(UTC), self._patience, self.limits).status.state == "ended"

    async def _list(self, execution_id: ExecutionId) -> Sequence[Pod]:
        return await self._cluster.list(Pod, {EXECUTION: execution_id})

    async def end(self, execution_id: ExecutionId, key: StepKey, reason: Reason) -> None:
        """Remember that a step ended with a reason, unless it ended before."""
        status = StepStatus(state="ended", reason=reason, ended_at=datetime.now(UTC))
        await self._records.end(execution_id, {key: status})


def _is_doubtful(status: StepStatus) -> bool:
    """An algorithm that failed by itself may have done so for want of disk."""
    return status.reason is not None and status.reason.code == "AlgorithmFailed" and status.exit_code != 127
