"""Starting a step: volumes, order, pod. Each has its own name, so repeating it changes nothing."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import OwnerReference
from lightkube.resources.core_v1 import PersistentVolumeClaim, Pod

from insitu.adapters.kubernetes import GROUP, Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.binding import Binding
from insitu.adapters.runtime.kubernetes.claims import attempt_claims
from insitu.adapters.runtime.kubernetes.compute_pod import compute_pod
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.inspecting import inspection_pod
from insitu.adapters.runtime.kubernetes.names import EXECUTION, step_name
from insitu.adapters.runtime.kubernetes.record import Records
from insitu.adapters.runtime.kubernetes.sealing import MAIN
from insitu.adapters.runtime.kubernetes.service_pods import console_secrets, order_secret, service_pod
from insitu.domain.execution import StepKey, StepKind
from insitu.ports.runtime import Step

WorkflowExecution: Any = create_namespaced_resource(GROUP, "v1alpha1", "WorkflowExecution", "workflowexecutions")


class Starter:
    """Starts steps."""

    def __init__(self, cluster: Cluster, placement: Placement, records: Records, binding: Binding) -> None:
        self._cluster = cluster
        self._placement = placement
        self._records = records
        self._binding = binding

    async def ensure(self, step: Step) -> None:
        """Start the step unless it runs or has ended.

        Raises ``RefusedError`` if the cluster does not take it, and ``InsituError``.
        """
        execution_id = step.plan.workflow_execution_id
        record = await self._records.recent(execution_id)
        if record is None:
            record = await self._records.open(step.plan, await self._owner(execution_id))
        if step.key in record.started:
            return
        before, pod = await self._objects(step, record.owner)
        await asyncio.gather(*(self._create(made) for made in before))
        await self._binding.wait({EXECUTION: execution_id}, _claims_of(pod) & _claims(before))
        await self._create(pod)
        await self._records.start(execution_id, step.key)

    async def inspect(self, computed: Pod, key: StepKey) -> None:
        """Look at the volume of a compute step that failed."""
        with suppress(RefusedError):  # then the algorithm's own end counts once the look is overdue
            await self._create(inspection_pod(computed, key, self._placement))

    async def _objects(self, step: Step, owner: OwnerReference) -> tuple[Sequence[Any], Pod]:
        """Return what has to exist before the pod, and the pod."""
        placement = self._placement
        if step.key.kind is StepKind.COMPUTE:
            return (), compute_pod(step, placement, owner)
        if step.key.kind is StepKind.CONFIGURE:
            before = (order_secret(step, owner), *attempt_claims(step, placement, owner))
            return before, service_pod(step, placement, owner, [])
        consoles = console_secrets(step, await self._consoles(step), owner)
        return (order_secret(step, owner), *consoles), service_pod(step, placement, owner, consoles)

    async def _consoles(self, step: Step) -> dict[int, bytes]:
        """Return what the stages printed, as far as it is published."""
        found = {}
        for stage, size in step.logs.consoles.items():
            if size == 0:
                continue
            attempt = step.attempts[stage]
            name = step_name(step.plan.workflow_execution_id, StepKey(StepKind.COMPUTE, stage, attempt))
            try:
                async with self._cluster.log(name, MAIN, limit=size) as chunks:
                    found[stage] = b"".join([chunk async for chunk in chunks])[:size]
            except ConflictError:
                continue  # the pod is gone with its log; the operator's copy has it
        return found

    async def _create(self, made: Any) -> None:
        with suppress(ConflictError):
            await self._cluster.create(made)

    async def _owner(self, execution_id: str) -> OwnerReference | None:
        """Return the custom resource of the execution, if it is one: when it is deleted, everything is."""
        if not self._placement.owned:
            return None
        found = await self._cluster.get(WorkflowExecution, execution_id)
        if found is None:
            return None
        return OwnerReference(
            apiVersion=f"{GROUP}/v1alpha1", kind="WorkflowExecution", name=execution_id, uid=found.metadata.uid
        )


def _claims(made: Sequence[Any]) -> set[str]:
    claims = [item for item in made if isinstance(item, PersistentVolumeClaim)]
    return {claim.metadata.name or "" for claim in claims if claim.metadata is not None}


def _claims_of(pod: Pod) -> set[str]:
    volumes = (pod.spec.volumes if pod.spec is not None else None) or []
    return {item.persistentVolumeClaim.claimName for item in volumes if item.persistentVolumeClaim is not None}
