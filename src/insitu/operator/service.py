"""The OPERATOR SERVICE: register, status, logs, stop, list (E3, E4). It decides and stores; the engine acts."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

import anyio
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, Stopper
from insitu.domain.execution_changes import registered, stop_requested
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import Captured, LogState, bytes_left, released
from insitu.domain.plan import ImageReference
from insitu.operator.capacity import queue_positions, require_capacity
from insitu.operator.engine import Engine
from insitu.operator.engine.log_pump import begun_logs
from insitu.operator.registration import check_registration
from insitu.ports.clock import Clock
from insitu.ports.executions import Executions
from insitu.ports.logs import Logs
from insitu.ports.peers import Capacity, LogKey, OperatorPeer, Registration
from insitu.ports.runtime import Enforcement, LogChunk


class OperatorService(OperatorPeer):
    """The calls of the gateway. Each one names an agreement and an execution; a pair that does not match is unknown.

    Parameters
    ----------
    capacity
        What all executions share; the engine admits executions by the same value.
    """

    def __init__(self, *, executions: Executions, logs: Logs, engine: Engine, clock: Clock, capacity: Capacity) -> None:
        self._executions = executions
        self._logs = logs
        self._engine = engine
        self._clock = clock
        self._capacity = capacity

    @override
    async def require_images(self, images: Sequence[ImageReference]) -> None:
        await self._engine.require_runtime()
        refusals: list[InsituError] = []

        async def require(image: ImageReference) -> None:
            try:
                await self._engine.require_image(image)
            except InsituError as error:
                refusals.append(error)

        async with anyio.create_task_group() as tasks:
            for image in dict.fromkeys(images):
                tasks.start_soon(require, image)
        if refusals:
            raise refusals[0]

    @override
    async def register(self, registration: Registration) -> Execution:
        """Register an execution (E3); a repeated registration returns the record.

        Raises ``ExecutionInProgress``; ``CapacityExceeded``; ``RuntimeUnavailable`` or ``IsolationNotEnforced``;
        ``ImageUnavailable``; ``IdempotencyConflict`` if the id came before with another plan; what
        :func:`check_registration` raises.
        """
        plan = registration.plan
        present = await self._executions.get(plan.workflow_execution_id)
        if present is None:
            check_registration(registration)
            require_capacity(plan.limits, self._capacity)
            await self.require_images([stage.image for stage in plan.stages])
            record = registered(plan, self._clock.now())
            present = await self._executions.create(record, registration.ticket)
            self._engine.wake()
        if present.plan.model_dump(mode="json") != plan.model_dump(mode="json"):
            raise InsituError("IdempotencyConflict", f"{plan.workflow_execution_id} is registered with another plan")
        return present

    @override
    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Execution:
        execution = await self._executions.get(execution_id)
        if execution is None or execution.agreement_id != agreement_id:
            raise InsituError("ExecutionUnknown", f"the agreement has no execution {execution_id}")
        return execution

    @override
    async def position(self, agreement_id: AgreementId, execution_id: ExecutionId) -> int:
        execution = await self.status(agreement_id, execution_id)
        if execution.phase is not Phase.REGISTERED:
            return 0
        return queue_positions(await self._executions.unsettled(), self._capacity).get(execution_id, 0)

    @override
    async def logs(
        self,
        agreement_id: AgreementId,
        execution_id: ExecutionId,
        key: LogKey,
        offset: int = 0,
        *,
        follow: bool = False,
        counted: bool = True,
    ) -> AsyncIterator[LogChunk]:
        await self.status(agreement_id, execution_id)
        grows = follow and await self._begun(agreement_id, execution_id, key)
        async for chunk in self._logs.read(execution_id, key, offset, follow=grows):
            end = await self._release(execution_id, key, chunk.end) if counted else chunk.end
            if end > chunk.offset:
                yield LogChunk(chunk.offset, chunk.data[: end - chunk.offset])
            if end < chunk.end:
                return

    async def _release(self, execution_id: ExecutionId, key: LogKey, size: int) -> int:
        """Store that the consumer reads up to ``size``, and return how far the consumer may read."""
        wanted = (Captured(key.stage, key.attempt, size),)
        release = await self._executions.release(execution_id, partial(released, wanted=wanted))
        return release.end(key.stage, key.attempt)

    @override
    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        execution = await self.status(agreement_id, execution_id)
        release = await self._executions.release(execution_id, released)
        if release.rejected:
            return "rejected"
        if bytes_left(execution, release) > 0:
            return "open"
        for key in await self._logs.keys(execution_id):
            if await self._logs.size(execution_id, key) > release.end(key.stage, key.attempt):
                return "spent"
        return "open"

    @override
    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        # An attempt that has begun is listed before its first byte, so that it can be followed from the start.
        begun = begun_logs(await self.status(agreement_id, execution_id))
        present = {*begun, *await self._logs.keys(execution_id)}
        return tuple(sorted(present, key=lambda key: (key.stage, key.attempt)))

    @override
    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        while True:
            execution = await self.status(agreement_id, execution_id)
            stopping = stop_requested(execution, by, self._clock.now())
            if stopping is None:
                return execution
            if await self._executions.replace(stopping):
                self._engine.wake(execution_id)
                return stopping

    @override
    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        return await self._executions.list(agreement_id)

    @override
    async def capacity(self) -> Capacity:
        return self._capacity

    @override
    async def proof(self) -> Enforcement:
        return await self._engine.require_runtime()

    async def _begun(self, agreement_id: AgreementId, execution_id: ExecutionId, key: LogKey) -> bool:
        """Wait until the attempt has begun or never will, and return whether its log can still grow.

        A log that began always ends: its pump ends it, or the hand-over of the execution does.
        """
        changes = self._engine.changes(execution_id)
        while True:
            seen = changes.count
            execution = await self.status(agreement_id, execution_id)
            begun = key in begun_logs(execution)
            if begun or execution.ended or execution.outcome is not None:
                return begun and not execution.ended
            await changes.wait(seen)
