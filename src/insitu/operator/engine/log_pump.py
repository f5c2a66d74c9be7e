"""Copies what containers write into the logs while they write it (E3): one pump per attempt of a stage."""

import logging
from collections.abc import Iterable
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, StepKey, StepKind
from insitu.domain.ids import ExecutionId
from insitu.domain.log_release import Captured, LogRelease
from insitu.operator.engine.parts import Parts
from insitu.ports.peers import LogKey
from insitu.waiting import Backoff, Pauses, wait_until

logger = logging.getLogger("insitu.engine")

DRAIN = timedelta(seconds=10)
"""How long to wait for the rest of a log once its container has ended."""

RETRY = Backoff(0.1, 5)
"""After a log broke off."""


def begun_logs(execution: Execution) -> tuple[LogKey, ...]:
    """Return the logs that exist or will exist: one per attempt that reached ``Executing``."""
    started = (transition for transition in execution.history if transition.phase is Phase.EXECUTING)
    return tuple(LogKey(stage=transition.stage or 0, attempt=transition.attempt or 1) for transition in started)


class LogPumps:
    """The pumps of one execution. A copy that was interrupted continues at the end of the log."""

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
        """Wait until everything is copied and return the log sizes, those of the attempts that count first.

        If a log does not end, or its store does not answer, the largest possible size stands in for its own: trouble
        with a log must not hold up a result.
        """
        await self._drain()
        counting = [(record.stage, record.attempt) for record in execution.records if record.reason is None]
        begun = [(key.stage, key.attempt) for key in begun_logs(execution)]
        others = [attempt for attempt in begun if attempt not in counting]
        return tuple([await self._size(execution, *attempt) for attempt in (*counting, *others)])

    async def _size(self, execution: Execution, stage: int, attempt: int) -> Captured:
        key, logs = LogKey(stage=stage, attempt=attempt), self._parts.logs
        try:
            if await logs.finished(self._execution_id, key):
                return Captured(stage, attempt, await logs.size(self._execution_id, key))
        except InsituError as error:
            logger.warning("%s: the size of a log is unknown: %s", self._execution_id, error)
        return Captured(stage, attempt, execution.plan.limits.log_bytes)

    async def lines(self, release: LogRelease) -> int | None:
        """Count the released lines, the last of each log even if it does not end. None if one is unreadable."""
        total = 0
        try:
            for done in release.ends:
                last, key = b"\n", LogKey(stage=done.stage, attempt=done.attempt)
                async for chunk in self._parts.logs.read(self._execution_id, key, 0, follow=False):
                    shown = chunk.data[: max(done.end - chunk.offset, 0)]
                    total, last = total + shown.count(b"\n"), shown[-1:] or last
                total += last != b"\n"
        except InsituError as error:
            logger.warning("%s: the lines of a log cannot be counted: %s", self._execution_id, error)
            return None
        return total

    async def _drain(self) -> tuple[StepKey, ...]:
        """Wait some seconds until everything is copied; return the steps that are not."""
        until = self._parts.clock.now() + DRAIN
        return tuple(
            [step for step, ended in self._ended.items() if not await wait_until(self._parts.clock, until, ended)]
        )

    async def finish(self, execution: Execution) -> None:
        """Wait until everything is copied, and mark every log of the execution as complete: nothing more will come."""
        for step in await self._drain():
            logger.warning("%s: the log of %s did not end", self._execution_id, step)
            self._scopes[step].cancel()
        for key in begun_logs(execution):
            if not await self._parts.logs.finished(self._execution_id, key):
                await self._parts.logs.finish(self._execution_id, key)

    async def _pump(self, step: StepKey) -> None:
        clock, pauses = self._parts.clock, Pauses(RETRY)
        try:
            with self._scopes[step]:
                while not await self._copy(step):
                    await clock.sleep_until(pauses.after(clock.now()))
        finally:
            self._ended[step].set()

    async def _copy(self, step: StepKey) -> bool:
        """Copy from where the log ends, and return whether it is complete."""
        logs, key = self._parts.logs, LogKey(stage=step.stage, attempt=step.attempt)
        try:
            if await logs.finished(self._execution_id, key):
                return True
            offset = await logs.size(self._execution_id, key)
            async for chunk in self._parts.recovered_runtime.logs(self._execution_id, step, offset):
                await logs.append(self._execution_id, key, chunk)
            await logs.finish(self._execution_id, key)
        except InsituError as error:
            logger.warning("%s: the log of %s was interrupted: %s", self._execution_id, step, error)
            return False
        except Exception:
            # Trouble with a log must not stop the execution or anything that watches over it.
            logger.exception("%s: the log of %s cannot be copied", self._execution_id, step)
            return False
        return True
