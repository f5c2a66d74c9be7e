"""The runtime port on a cluster: what is kept in memory only saves time; all state is on the cluster."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lightkube.resources.core_v1 import ConfigMap, PersistentVolumeClaim, Pod
from typing_extensions import override

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.binding import Binding
from insitu.adapters.runtime.kubernetes.compute_pod import image_reference
from insitu.adapters.runtime.kubernetes.configuration import Placement, asked_registries
from insitu.adapters.runtime.kubernetes.console import follow
from insitu.adapters.runtime.kubernetes.ending import Ender
from insitu.adapters.runtime.kubernetes.log_cap import LogCaps, log_bytes
from insitu.adapters.runtime.kubernetes.names import EXECUTION, OURS, step_name
from insitu.adapters.runtime.kubernetes.observing import Observer
from insitu.adapters.runtime.kubernetes.probe import probe_cluster
from insitu.adapters.runtime.kubernetes.proof import OLDEST_PROOF, keep_proof, last_proof
from insitu.adapters.runtime.kubernetes.record import Records
from insitu.adapters.runtime.kubernetes.registries import Registries
from insitu.adapters.runtime.kubernetes.starting import Starter
from insitu.adapters.runtime.kubernetes.verdicts import PodPatience
from insitu.adapters.runtime.kubernetes.watching import PodWatch
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason, StepKey, StepKind, StepStatus
from insitu.domain.ids import ExecutionId, read_execution_id
from insitu.domain.plan import ImageReference
from insitu.ports.runtime import Enforcement, LogChunk, Runtime, Step

READ_LASTS = timedelta(seconds=5)
"""How long to wait before reading the kept proof again."""


class KubernetesRuntime(Runtime):
    """Runs steps as bare pods in one namespace (``insitu.ports.runtime.Runtime``).

    Every object of an execution belongs to its record and carries its labels, so that one call finds it (E5).
    """

    def __init__(self, cluster: Cluster, placement: Placement) -> None:
        self._cluster = cluster
        self._placement = placement
        self._records = Records(cluster)
        self._registries = Registries(asked_registries(placement))
        self._watch = PodWatch(cluster)
        patience = PodPatience(pending=placement.pending)
        patience = replace(patience, pulling=min(patience.pulling, patience.pending))
        self._observer = Observer(cluster, self._records, patience, {})
        # Shared by steps and probes, so that they learn about the storage class only once.
        self._binding = Binding(cluster)
        self._starting = Starter(cluster, placement, self._records, self._binding)
        self._ending = Ender(cluster, self._observer, self._watch)
        self._caps = LogCaps(cluster, self._ending)
        self._watching: asyncio.Task[None] | None = None
        self._closed = False
        self._proof: Enforcement | None = None
        self._proved = datetime.min.replace(tzinfo=UTC)
        self._proving = asyncio.Lock()
        self._kept: tuple[Enforcement, datetime] | None = None
        self._read = self._proved

    @override
    async def require_image(self, image: ImageReference) -> None:
        reference = image_reference(image, self._placement.registry)
        if await self._registries.lacks(reference):
            host, _, name = reference.partition("/")
            message = f"the registry {host} has no {name}: push it there with its digest"
            raise InsituError("ImageUnavailable", message)

    @override
    async def ensure(self, step: Step) -> None:
        self._watch_pods()
        execution_id, key = step.plan.workflow_execution_id, step.key
        try:
            refusal = await self._refusal() if key.kind is StepKind.COMPUTE else None
            if refusal is None:
                await self._starting.ensure(step)
                return  # the watch reports the pod
        except RefusedError as error:
            refusal = Reason(code="InfrastructureFailed", message=f"the cluster refuses the step: {error}"[:1000])
        except InsituError as error:
            if error.code not in ("ConfigurationFailed", "ImageUnavailable"):
                raise
            refusal = Reason(code=error.code, message=error.detail)
        await self._observer.end(execution_id, key, refusal)
        self._watch.ring(execution_id)

    @override
    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        self._watch_pods()
        found = await self._observer.look(execution_id)
        for key, reason in found.ending.items():
            await self._ending.stop(execution_id, key, found.pods[key], reason)
        for key in found.doubtful:
            await self._starting.inspect(found.pods[key], key)
        for key, pod in found.pods.items():
            if (
                key.kind is StepKind.COMPUTE
                and found.statuses[key].state == "running"
                and found.statuses[key].started_at
            ):
                self._caps.guard(execution_id, key, pod)
        return found.statuses

    @override
    async def running(self) -> frozenset[ExecutionId]:
        found: set[ExecutionId] = set()
        kinds: tuple[type[Any], ...] = (ConfigMap, Pod, PersistentVolumeClaim)
        for kind in kinds:
            for item in await self._cluster.list(kind, OURS):
                found.add(read_execution_id(item.metadata.labels[EXECUTION]))
        return frozenset(found)

    @override
    async def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        self._watch_pods()
        name = step_name(execution_id, key)
        pod = await self._cluster.get(Pod, name)
        if pod is None:
            return

        async def ended() -> bool:
            return await self._observer.has_ended(execution_id, key)

        limit = log_bytes(pod)
        following = follow(self._cluster, self._watch, name, offset=offset, limit=limit, ended=ended)
        async with aclosing(following) as chunks:
            async for chunk in chunks:
                yield chunk

    @override
    async def kill(self, execution_id: ExecutionId) -> None:
        self._watch_pods()
        await self._ending.kill(execution_id)
        self._watch.ring()

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        self._watch_pods()
        try:
            await self._ending.remove(execution_id)
        except (ConflictError, RefusedError) as error:
            raise InsituError("InfrastructureFailed", f"{execution_id} cannot be removed: {error}") from error
        self._records.forget(execution_id)

    @override
    async def changed(self) -> frozenset[ExecutionId] | None:
        self._watch_pods()
        return await self._watch.news()

    @override
    async def recover(self) -> None:
        """Do nothing: the pods have gone on."""
        self._watch_pods()

    @override
    async def probe(self) -> Enforcement:
        async with self._proving:
            return await self._prove()

    @override
    async def proof(self) -> Enforcement | None:
        now = datetime.now(UTC)
        if now - self._read > READ_LASTS:  # anyone can ask for a price, as often as they like
            self._read, self._kept = now, await last_proof(self._cluster)
        return self._kept[0] if self._kept is not None and now - self._kept[1] <= OLDEST_PROOF else None

    async def aclose(self) -> None:
        """Release the watch and the counters. What runs goes on."""
        self._closed = True
        await self._caps.aclose()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def _refusal(self) -> Reason | None:
        """Require a proof of the walls before an algorithm runs, even if the algorithm has to wait for it.

        A proof that is too old does not count: the cluster may have changed since.
        """
        async with self._proving:
            age = (datetime.now(UTC) - self._proved).total_seconds()
            proof = self._proof if 0 <= age <= self._placement.proof_seconds else None
            proof = proof or await self._prove()
        return Reason(code=proof.code, message="; ".join(proof.refusals)[:1000]) if proof.refusals else None

    async def _prove(self) -> Enforcement:
        found = await probe_cluster(self._cluster, self._placement, self._binding)
        # After a refusal probe again: somebody may have fixed what was wrong.
        self._proof = None if found.refusals else found
        self._proved = datetime.now(UTC)
        self._observer.limits = found.limits
        await keep_proof(self._cluster, found, self._proved)
        return found

    def _watch_pods(self) -> None:
        if not self._closed and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch.run(), name="watch of pods")
