"""What is known of an execution's steps, kept on the cluster beside them: one ConfigMap per execution.

A pod can vanish: its node was drained, or someone deleted it. So the record says which steps were started, and how they
ended. It owns every other object of the execution: it is made before them and deleted after them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from lightkube.models.meta_v1 import OwnerReference
from lightkube.resources.core_v1 import ConfigMap

from insitu.adapters.kubernetes import Cluster, ConflictError
from insitu.adapters.runtime.kubernetes.names import metadata
from insitu.domain.execution import StepKey, StepStatus
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ExecutionPlan

_STARTED = "started"

_RECENT = 2.0
"""Seconds for which a record is used without reading it again; a write to an outdated one is refused."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read: the steps that were started, and how they ended."""

    owner: OwnerReference
    version: str
    started: frozenset[StepKey] = frozenset()
    ended: Mapping[StepKey, StepStatus] = field(default_factory=dict)


class Records:
    """The records of a namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._last: dict[ExecutionId, tuple[float, Record]] = {}

    async def get(self, execution_id: ExecutionId) -> Record | None:
        """Return the record of an execution, or None."""
        found = await self._cluster.get(ConfigMap, execution_id)
        if found is not None:
            return self._note(execution_id, found)
        self.forget(execution_id)
        return None

    async def recent(self, execution_id: ExecutionId) -> Record | None:
        """Return the record as it was a moment ago.

        That is enough before a step is started: the caller has just observed the execution, a name can be taken only
        once, and if another process stored a start meanwhile, the write that follows reads again.
        """
        moment, record = self._last.get(execution_id, (0.0, None))
        return record if time.monotonic() - moment < _RECENT else await self.get(execution_id)

    async def open(self, plan: ExecutionPlan, owner: OwnerReference | None) -> Record:
        """Return the record of an execution; make it if it does not exist.

        ``owner`` is the custom resource of the execution, if it has one.
        """
        execution_id = plan.workflow_execution_id
        wanted = ConfigMap(metadata=metadata(plan, execution_id, owner), data={})
        try:
            made = await self._cluster.create(wanted)
        except ConflictError:
            present = await self.get(execution_id)
            return present if present is not None else await self.open(plan, owner)
        return self._note(execution_id, made)

    def forget(self, execution_id: ExecutionId) -> None:
        """Note that a record is gone."""
        self._last.pop(execution_id, None)

    async def start(self, execution_id: ExecutionId, key: StepKey) -> None:
        """Remember that a step was started."""
        record = await self.recent(execution_id)
        while record is not None and key not in record.started:
            if await self._write(execution_id, record, {str(key): _STARTED}):
                return
            record = await self.get(execution_id)

    async def end(
        self, execution_id: ExecutionId, ends: Mapping[StepKey, StepStatus], read: Record | None = None
    ) -> Mapping[StepKey, StepStatus]:
        """Store how steps ended, and return their ends: the first one that was stored counts.

        ``read`` saves reading the record, if that was done a moment ago.
        """
        record = read or await self.get(execution_id)
        while record is not None:
            fresh = {str(key): _text(status) for key, status in ends.items() if key not in record.ended}
            if not fresh or await self._write(execution_id, record, fresh):
                return {key: record.ended.get(key, status) for key, status in ends.items()}
            record = await self.get(execution_id)
        return ends

    async def _write(self, execution_id: ExecutionId, record: Record, data: Mapping[str, str]) -> bool:
        change = {"metadata": {"resourceVersion": record.version}, "data": dict(data)}
        try:
            written = await self._cluster.merge(ConfigMap, execution_id, change)
        except ConflictError:
            written = None
        if written is None:
            self.forget(execution_id)
            return False
        self._note(execution_id, written)
        return True

    def _note(self, execution_id: ExecutionId, found: ConfigMap) -> Record:
        record = _read(found)
        self._last[execution_id] = (time.monotonic(), record)
        return record


def _text(status: StepStatus) -> str:
    return status.model_dump_json(by_alias=True, exclude_defaults=True)


def _read(found: ConfigMap) -> Record:
    meta = found.metadata
    assert meta is not None
    assert meta.name is not None
    assert meta.uid is not None
    steps = {key: text for name, text in (found.data or {}).items() if (key := StepKey.read(name)) is not None}
    return Record(
        owner=OwnerReference(apiVersion="v1", kind="ConfigMap", name=meta.name, uid=meta.uid),
        version=meta.resourceVersion or "",
        started=frozenset(steps),
        ended={key: StepStatus.model_validate_json(text) for key, text in steps.items() if text != _STARTED},
    )
