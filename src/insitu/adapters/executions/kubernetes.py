"""Executions as custom resources of a namespace: the cluster is the store, and ``kubectl get wx`` lists them.

A cluster has no transaction over two objects, and an agreement must have at most one live execution. So a record is
created in two steps: first the object, then its status. In between the creator looks at the agreement's other objects.
If one is live, it gives up. If one has no status yet either, it touches that object, so that the second step of the
object's creator fails. Of two creators at once one always sees the other's object, so at most one writes a status.
"""

import base64
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import anyio
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta, OwnerReference
from lightkube.resources.core_v1 import Secret
from typing_extensions import override

from insitu.adapters.executions.custom_resource import (
    GROUP,
    KIND,
    PLURAL,
    VERSION,
    read_execution,
    spec_of,
    status_of,
)
from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.adapters.kubernetes_watching import watch_forever
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.domain.ids import AgreementId, ExecutionId, labels
from insitu.domain.log_release import LogRelease
from insitu.ports.executions import Decide, Executions
from insitu.waiting import Backoff

WorkflowExecution: Any = create_namespaced_resource(GROUP, VERSION, KIND, PLURAL)

_OURS = {"app.kubernetes.io/managed-by": "insitu"}
_SETTLED = f"{GROUP}/settled"
"""Label of an execution with no work left, so that it need not be looked at."""
_CREATED = f"{GROUP}/created"
"""Annotation: when an object was created, in nanoseconds; the cluster's own time stamp has only seconds."""
_TOUCHED = f"{GROUP}/touched"
_RELEASED = f"{GROUP}/released"
"""Annotation: how much of the logs may reach the consumer, as JSON."""
_TRIES = 30
_STEP_ASIDE = Backoff(0.02, 1.28, jitter=1.0)
"""The pause after a write that collided with another process's."""
_MOST = 1000
"""The most executions returned at a time."""


class KubernetesExecutions(Executions):
    """The records of a namespace, with a secret for each ticket."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._creating = anyio.Lock()
        self._last = 0
        # The versions that this process wrote itself, so that they need not wake it.
        self._own: dict[ExecutionId, int] = {}
        self._known: dict[ExecutionId, tuple[int, str]] = {}

    @override
    async def create(self, execution: Execution, ticket: str) -> Execution:
        # One creator at a time in this process; the two steps are for those in other processes.
        async with self._creating:
            for attempt in range(_TRIES):
                try:
                    created = await self._try_create(execution, ticket)
                except RefusedError as error:
                    raise InsituError("StorageFailed", f"the cluster does not store the execution: {error}") from error
                if created is not None:
                    return created
                await anyio.sleep(_STEP_ASIDE.pause(attempt))
        raise InsituError("StorageFailed", "other processes keep creating executions of this agreement")

    @override
    async def get(self, execution_id: ExecutionId) -> Execution | None:
        return self._note(await self._cluster.get(WorkflowExecution, execution_id))

    @override
    async def ticket(self, execution_id: ExecutionId) -> str:
        found = await self._cluster.get(Secret, _ticket_name(execution_id))
        return "" if found is None else base64.b64decode((found.data or {})["ticket"]).decode("ascii")

    @override
    async def replace(self, execution: Execution) -> bool:
        # The last version that was read or written is usually still current; if it is not, the write fails.
        known = self._known.get(execution.execution_id)
        if known is not None and known[0] == execution.version - 1 and await self._replace(execution, known[1]):
            return True
        for attempt in range(_TRIES):
            found: Any = await self._cluster.get(WorkflowExecution, execution.execution_id)
            present = self._note(found)
            if present is None or present.version != execution.version - 1:
                return False
            if await self._replace(execution, found.metadata.resourceVersion):
                return True
            # The record is the same: somebody has read its logs in the meantime.
            await anyio.sleep(_STEP_ASIDE.pause(attempt))
        return False

    async def _replace(self, execution: Execution, resource_version: str) -> bool:
        # Noted before the write, because the watch may report it before the write returns.
        self._own[execution.execution_id] = execution.version
        written = False
        try:
            written = await self._write_status(execution, resource_version)
        finally:
            if not written:
                self._own.pop(execution.execution_id, None)
        if not written:
            return False
        if _is_settled(execution):
            await self._settle(execution.execution_id)
        return True

    @override
    async def release(self, execution_id: ExecutionId, decide: Decide) -> LogRelease:
        for attempt in range(_TRIES):
            found: Any = await self._cluster.get(WorkflowExecution, execution_id)
            record = None if found is None else _read(found)
            if record is None:
                raise InsituError("ExecutionUnknown", f"there is no execution {execution_id}")
            before = LogRelease.model_validate_json((found.metadata.annotations or {}).get(_RELEASED, "{}"))
            after = decide(record, before)
            if after == before:
                return after
            annotations = {_RELEASED: after.model_dump_json(by_alias=True)}
            meta = {"resourceVersion": found.metadata.resourceVersion, "annotations": annotations}
            with suppress(ConflictError):
                if await self._cluster.merge(WorkflowExecution, execution_id, {"metadata": meta}) is not None:
                    return after
            await anyio.sleep(_STEP_ASIDE.pause(attempt))
        raise InsituError("StorageFailed", f"the record of {execution_id} keeps changing")

    @override
    async def unsettled(self) -> tuple[Execution, ...]:
        from lightkube.operators import not_exists

        found = await self._select({**_OURS, _SETTLED: not_exists()})
        for execution in found:
            if _is_settled(execution):  # a process was interrupted before it set the label
                await self._settle(execution.execution_id)
        return tuple(execution for execution in found if not _is_settled(execution))

    @override
    async def ended_before(self, moment: datetime) -> tuple[ExecutionId, ...]:
        found = await self._select({**_OURS, _SETTLED: "true"})
        past = [execution for execution in found if _is_settled(execution) and execution.since < moment]
        past.sort(key=lambda execution: execution.since)
        return tuple(execution.execution_id for execution in past[:_MOST])

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        present = await self.get(execution_id)
        if present is not None and _is_settled(present):
            await self._cluster.delete(WorkflowExecution, execution_id)

    @override
    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        wanted = _OURS if agreement_id is None else {**_OURS, "serviceAgreementId": _label(agreement_id)}
        found = await self._select(wanted)
        return tuple(record for record in reversed(found) if agreement_id in (None, record.agreement_id))

    async def watch(self, changed: Callable[[ExecutionId], None]) -> None:
        """Report every record with work left that another process may have changed, until the connection ends."""
        from lightkube.operators import not_exists

        def notice(found: Any) -> None:
            record = _read(found)
            if record is not None and record.version > self._own.get(record.execution_id, -1):
                changed(record.execution_id)

        await self._cluster.watch(WorkflowExecution, {**_OURS, _SETTLED: not_exists()}, notice)

    async def follow(self, changed: Callable[[ExecutionId], None]) -> None:
        """Watch forever; each new watch begins with all records, so it reports what changed between two watches."""
        await watch_forever("executions", partial(self.watch, changed), lambda: None)

    # ------------------------------------------------------------------------------------------------------ creating

    async def _try_create(self, execution: Execution, ticket: str) -> Execution | None:
        """Create the record, or return the existing one; None if another process interfered."""
        own = await self._cluster.get(WorkflowExecution, execution.execution_id)
        if own is None:
            own = await self._create_object(execution)
            if own is None:
                return None
        present = _read(own)
        if present is not None:
            return present
        await self._keep_ticket(own, ticket)
        try:
            alone = await self._is_alone(execution)
        except InsituError:
            await self._cluster.delete(Secret, _ticket_name(execution.execution_id))
            await self._cluster.delete(WorkflowExecution, execution.execution_id)
            raise
        version = own.metadata.resourceVersion
        return execution if alone and await self._write_status(execution, version) else None

    async def _create_object(self, execution: Execution) -> Any:
        self._last = max(time.time_ns(), self._last + 1)
        ids = labels(execution.agreement_id, execution.execution_id)
        meta = ObjectMeta(
            name=execution.execution_id,
            labels={**_OURS, **ids},
            annotations={"serviceAgreementId": execution.agreement_id, _CREATED: str(self._last)},
        )
        try:
            return await self._cluster.create(WorkflowExecution(metadata=meta, spec=spec_of(execution)))
        except ConflictError:
            return None

    async def _is_alone(self, execution: Execution) -> bool:
        """Check the agreement's other objects, and touch those without a status. Raises ``ExecutionInProgress``."""
        wanted = {**_OURS, "serviceAgreementId": _label(execution.agreement_id)}
        for other in await self._cluster.list(WorkflowExecution, wanted):
            if other.metadata.name == execution.execution_id:
                continue
            record = _read(other)
            if record is None:
                if not await self._touch(other):
                    return False
            elif record.agreement_id == execution.agreement_id and not record.ended:
                running = record.execution_id
                message = f"{running} of this agreement has not ended"
                raise InsituError("ExecutionInProgress", message, executionId=running)
        return True

    async def _touch(self, other: Any) -> bool:
        meta = {"resourceVersion": other.metadata.resourceVersion, "annotations": {_TOUCHED: str(time.time_ns())}}
        try:
            return await self._cluster.merge(WorkflowExecution, other.metadata.name, {"metadata": meta}) is not None
        except ConflictError:
            return False

    async def _keep_ticket(self, own: Any, ticket: str) -> None:
        owner = OwnerReference(apiVersion=f"{GROUP}/{VERSION}", kind=KIND, name=own.metadata.name, uid=own.metadata.uid)
        meta = ObjectMeta(
            name=_ticket_name(own.metadata.name),
            labels=own.metadata.labels,
            annotations={"serviceAgreementId": own.metadata.annotations["serviceAgreementId"]},
            ownerReferences=[owner],
        )
        data = {"ticket": base64.b64encode(ticket.encode("ascii")).decode("ascii")}
        try:
            await self._cluster.create(Secret(metadata=meta, data=data))
        except ConflictError:
            return

    # ----------------------------------------------------------------------------------------------------- changing

    async def _write_status(self, execution: Execution, resource_version: str) -> bool:
        """Store the status unless the object has changed since it was read."""
        meta = ObjectMeta(name=execution.execution_id, resourceVersion=resource_version)
        changed = WorkflowExecution.Status(metadata=meta, spec=spec_of(execution), status=status_of(execution))
        try:
            self._note(await self._cluster.replace(changed))
        except ConflictError:
            self._known.pop(execution.execution_id, None)
            return False
        except RefusedError as error:
            raise InsituError("StorageFailed", f"the cluster does not store the execution: {error}") from error
        return True

    def _note(self, found: Any) -> Execution | None:
        """Read an object, and remember the cluster's version of it for the next change."""
        record = None if found is None else _read(found)
        if record is not None and not _is_settled(record):
            self._known[record.execution_id] = (record.version, found.metadata.resourceVersion)
        return record

    async def _settle(self, execution_id: ExecutionId) -> None:
        """Delete the ticket, which the gateway has revoked, and label the record so that nobody looks at it again."""
        self._own.pop(execution_id, None)
        self._known.pop(execution_id, None)
        await self._cluster.delete(Secret, _ticket_name(execution_id))
        await self._cluster.merge(WorkflowExecution, execution_id, {"metadata": {"labels": {_SETTLED: "true"}}})

    async def _select(self, wanted: dict[str, Any]) -> Sequence[Execution]:
        found = sorted(await self._cluster.list(WorkflowExecution, wanted), key=_created_at)
        return [record for resource in found if (record := _read(resource)) is not None]


def _read(found: Any) -> Execution | None:
    """Return the record; None for an object that has no status yet."""
    status = found.get("status")
    return read_execution(found["spec"], status) if status else None


def _created_at(found: Any) -> int:
    return int((found.metadata.annotations or {}).get(_CREATED, "0"))


def _is_settled(execution: Execution) -> bool:
    return execution.ended and execution.cleaned


def _ticket_name(execution_id: str) -> str:
    return f"{execution_id}-ticket"


def _label(agreement_id: AgreementId) -> str:
    return labels(agreement_id, ExecutionId(""))["serviceAgreementId"]
