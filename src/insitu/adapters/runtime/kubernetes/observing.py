"""Observing an execution: its record and its pods. An end is stored before it is reported, so it never changes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.runtime.kubernetes.inspecting import inspection_of, judge_inspection
from insitu.adapters.runtime.kubernetes.names import EXECUTION, step_name
from insitu.adapters.runtime.kubernetes.record import Records
from insitu.adapters.runtime.kubernetes.verdicts import PodPatience, judge, step_of
from insitu.domain.execution import Reason, StepKey, StepStatus
from insitu.domain.ids import ExecutionId


@dataclass(frozen=True, slots=True)
class Observation:
    """The status of every step, and the pods that exist.

    ``ending``: pods that have to be ended, with the reason. ``doubtful``: pods whose volume has to be inspected before
    their end is known.
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
        What enforces each limit here; a probe keeps it up to date.
    """

    def __init__(self, cluster: Cluster, records: Records, patience: PodPatience, limits: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._records = records
        self._patience = patience
        self.limits = limits

    async def look(self, execution_id: ExecutionId) -> Observation:
        """Observe an execution now."""
        record, listed = await asyncio.gather(self._records.get(execution_id), self._list(execution_id))
        pods = {key: pod for pod in listed if (key := step_of(pod)) is not None}
        known = dict(record.ended) if record is not None else {}
        started = record.started if record is not None else frozenset()
        if started - known.keys() - pods.keys():
            # A step that a record calls started had its pod earlier. So a pod that is missing from a list that was read
            # after the record has vanished; from a list read at the same time it may be missing because it is new.
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
                seen = judge_inspection(verdict.status, looks.get(key), now)
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
        """Return whether a step's pod writes no more log, judged by the pod alone; nothing is stored."""
        pod = await self._cluster.get(Pod, step_name(execution_id, key))
        return pod is None or judge(pod, key, datetime.now(UTC), self._patience, self.limits).status.state == "ended"

    async def _list(self, execution_id: ExecutionId) -> Sequence[Pod]:
        return await self._cluster.list(Pod, {EXECUTION: execution_id})

    async def end(self, execution_id: ExecutionId, key: StepKey, reason: Reason) -> None:
        """Remember that a step ended with a reason, unless it had already ended."""
        status = StepStatus(state="ended", reason=reason, ended_at=datetime.now(UTC))
        await self._records.end(execution_id, {key: status})


def _is_doubtful(status: StepStatus) -> bool:
    """Return whether a full disk may be why an algorithm failed."""
    return status.reason is not None and status.reason.code == "AlgorithmFailed" and status.exit_code != 127
