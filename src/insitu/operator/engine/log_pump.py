"""Copies what containers write into the logs, as it comes (design §6): one pump per attempt of a stage."""

import logging
from collections.abc import Iterable
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, StepKey, StepKind
from insitu.domain.ids import ExecutionId
from insitu.domain.log_release import Captured
from insitu.operator.engine.parts import Parts
from insitu.operator.engine.waiting import Backoff, wait_until
from insitu.ports.peers import LogKey

__all__ = ["LogPumps", "begun_logs"]

logger = logging.getLogger("insitu.engine")

DRAIN = timedelta(seconds=10)
"""How long the rest of a log is waited for once its container has ended."""


def begun_logs(execution: Execution) -> tuple[LogKey, ...]:
    """Return the logs that exist or will: one per attempt that came to ``Executing``."""
    started = (each for each in execution.history if each.phase is Phase.EXECUTING)
    return tuple(LogKey(stage=each.stage or 0, attempt=each.attempt or 1) for each in started)


class LogPumps:
    """The pumps of one execution. A copy that was cut off goes on at the log's size."""

    def __init__(self, execution_id: ExecutionId, parts: Parts, tasks: TaskGroup) -> None:
        self._execution_id = execution_id
        self._parts = parts
        self._tasks = tasks
        self._ended: dict[StepKey, anyio.Event] = {}
        self._scopes: dict[StepKey, anyio.CancelScope] = {}

    def start(self, steps: Iterable[StepKey]) -> None:
        """Start a pump for every compute step that has none yet."""
        for step in steps:
            if step.kind is StepKind.COMPUTE and step not in self._ended:
                self._ended[step] = anyio.Event()
                self._scopes[step] = anyio.CancelScope()
                self._tasks.start_soon(self._pump, step)

    async def captured(self, execution: Execution) -> tuple[Captured, ...]:
        """Return what is captured of each attempt once all is copied, the attempts that count first.

        Of a log that does not come to its end, or whose store does not answer, it is as much as there may be: what goes
        wrong with a log does not keep a result back.
        """
        await self._drained()
        counting = [(one.stage, one.attempt) for one in execution.records if one.reason is None]
        others = [one for each in begun_logs(execution) if (one := (each.stage, each.attempt)) not in counting]
        return tuple([await self._captured(execution, *one) for one in (*counting, *others)])

    async def _captured(self, execution: Execution, stage: int, attempt: int) -> Captured:
        key, logs = LogKey(stage=stage, attempt=attempt), self._parts.logs
        try:
            if await logs.finished(self._execution_id, key):
                return Captured(stage, attempt, await logs.size(self._execution_id, key))
        except InsituError as error:
            logger.warning("%s: the size of a log is not known: %s", self._execution_id, error)
        return Captured(stage, attempt, execution.plan.limits.log_bytes)

    async def _drained(self) -> tuple[StepKey, ...]:
        """Wait until all is copied, for some seconds; return the steps of which it is not."""
        until = self._parts.clock.now() + DRAIN
        return tuple(
            [step for step, ended in self._ended.items() if not await wait_until(self._parts.clock, until, ended)]
        )

    async def finish(self, execution: Execution) -> None:
        """Wait until all is copied, and mark every log of the execution as complete: nothing more will come."""
        for step in await self._drained():
            logger.warning("%s: the log of %s did not come to an end", self._execution_id, step)
            self._scopes[step].cancel()
        for key in begun_logs(execution):
            if not await self._parts.logs.finished(self._execution_id, key):
                await self._parts.logs.finish(self._execution_id, key)

    async def _pump(self, step: StepKey) -> None:
        clock, backoff = self._parts.clock, Backoff(0.1, 5)
        try:
            with self._scopes[step]:
                while not await self._copied(step):
                    await clock.sleep_until(backoff.failed(clock.now()))
        finally:
            self._ended[step].set()

    async def _copied(self, step: StepKey) -> bool:
        logs, key = self._parts.logs, LogKey(stage=step.stage, attempt=step.attempt)
        try:
            if await logs.finished(self._execution_id, key):
                return True
            offset = await logs.size(self._execution_id, key)
            async for chunk in self._parts.runtime.logs(self._execution_id, step, offset):
                await logs.append(self._execution_id, key, chunk)
            await logs.finish(self._execution_id, key)
        except InsituError as error:
            logger.warning("%s: the log of %s is interrupted: %s", self._execution_id, step, error)
            return False
        except Exception:
            # Whatever is wrong with a log, the execution goes on, and so does everything that watches over it.
            logger.exception("%s: the log of %s cannot be copied", self._execution_id, step)
            return False
        return True
