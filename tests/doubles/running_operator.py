"""A whole operator in one folder: real service, engine, stores and logs, over any runtime."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from insitu.adapters.clock import SystemClock
from insitu.adapters.executions.store import SQLITE, SqlExecutions
from insitu.adapters.logs.files import FileLogs
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.deadlines import Rules
from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import ExecutionId
from insitu.operator.engine import Engine, Parts
from insitu.operator.service import OperatorService
from insitu.ports.clock import Clock
from insitu.ports.executions import Executions
from insitu.ports.logs import Logs
from insitu.ports.peers import Capacity, GatewayPeer
from insitu.ports.runtime import Runtime

__all__ = ["CAPACITY", "RunningOperator", "running_operator"]

PATIENCE = 240.0
"""Seconds that a test waits for an execution: less than its timeout, so that it can say what it waited for."""
CAPACITY = Capacity(cpu_millis=4000, memory_bytes=4 * 1024**3, disk_bytes=64 * 1024**3)

AnyRuntime = TypeVar("AnyRuntime", bound=Runtime)


@dataclass(frozen=True, slots=True)
class RunningOperator(Generic[AnyRuntime]):
    """The parts of a running operator."""

    service: OperatorService
    engine: Engine
    runtime: AnyRuntime
    executions: Executions
    logs: Logs

    async def until(self, execution_id: ExecutionId, *phases: Phase, seconds: float = PATIENCE) -> Execution:
        """Return the record once it is in one of the phases; without any, once it has ended and is cleaned.

        Raises ``TimeoutError`` with what the record says after ``seconds`` of real time.
        """
        with anyio.move_on_after(seconds):
            return await self._until(execution_id, phases)
        execution = await self.executions.get(execution_id)
        raise TimeoutError(f"after {seconds:.0f} s the execution is {execution!r}")

    async def _until(self, execution_id: ExecutionId, phases: Sequence[Phase]) -> Execution:
        changes = self.engine.changes(execution_id)
        while True:
            seen = changes.count
            execution = await self.executions.get(execution_id)
            if execution is not None and execution.phase in phases:
                return execution
            if not phases and execution is not None and execution.ended and execution.cleaned:
                return execution
            await changes.wait(seen)


@asynccontextmanager
async def running_operator(
    folder: Path,
    gateway: GatewayPeer,
    make_runtime: Callable[[TaskGroup, Clock], AnyRuntime],
    *,
    clock: Clock | None = None,
    rules: Rules | None = None,
    capacity: Capacity = CAPACITY,
    resync: timedelta = timedelta(seconds=30),
    retention: timedelta = timedelta(days=30),
    executions: Executions | None = None,
) -> AsyncIterator[RunningOperator[AnyRuntime]]:
    """Run an operator on the folder until the block ends; what runs is then abandoned, as a killed process does.

    Parameters
    ----------
    make_runtime
        Makes the runtime from a group for its tasks, which are cancelled at the end, and the clock.
    executions
        The store; by default a file of the folder.
    """
    clock = clock or SystemClock()
    logs = FileLogs(folder / "logs", cap=16 * 1024**2)
    async with SqliteDatabase(folder / "operator.db", SQLITE) as database, anyio.create_task_group() as tasks:
        executions, runtime = executions or SqlExecutions(database), make_runtime(tasks, clock)
        parts = Parts(
            executions=executions,
            logs=logs,
            runtime=runtime,
            gateway=gateway,
            clock=clock,
            rules=rules or Rules(),
            capacity=capacity,
            resync=resync,
            retention=retention,
        )
        engine = Engine(parts)
        service = OperatorService(executions=executions, logs=logs, engine=engine, clock=clock, capacity=capacity)
        tasks.start_soon(engine.run)
        try:
            yield RunningOperator(service, engine, runtime, executions, logs)
        finally:
            tasks.cancel_scope.cancel()
