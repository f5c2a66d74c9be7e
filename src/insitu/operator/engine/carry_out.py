"""Carries out one action that the engine decided on: on the record, in the runtime, or at the gateway.

Each action can be repeated after a crash in the middle of it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import anyio

from insitu.domain import execution_changes as changes
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, StepKind
from insitu.domain.log_release import allotted, released
from insitu.domain.next_actions import Abandon, Action, Conclude, Ensure, HandOver, Kill, Move, Remove, Wait
from insitu.operator.engine.log_pump import LogPumps
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.operator.engine.progress import ProgressReport
from insitu.ports.peers import ExecutionReport
from insitu.ports.runtime import Enforcement, LogShare, Step

logger = logging.getLogger("insitu.engine")


class StaleRecordError(Exception):
    """The record was changed elsewhere since it was read: read it and decide again."""


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Carries out actions for one execution.

    Attributes
    ----------
    enforcement
        Returns what the runtime proved, for the report.
    changed
        Called after each change of the record.
    """

    ticket: str
    parts: Parts
    pumps: LogPumps
    progress: ProgressReport
    enforcement: Callable[[], Enforcement]
    changed: Callable[[Execution], None]

    async def __call__(self, execution: Execution, action: Action) -> Execution:
        """Carry out the action and return the record as it is afterwards.

        Raises ``InsituError`` or ``TimeoutError`` if a port failed, ``StaleRecordError`` if the record has changed.
        """
        now = self.parts.clock.now()
        match action:
            case Move():
                return await self.store(changes.moved(execution, action, now))
            case Conclude():
                return await self.store(changes.concluded(execution, action, now))
            case Abandon():
                return await self.store(changes.abandoned(execution, action, now))
            case Ensure():
                step = self._step(execution, action, await self._log_share(execution, action))
                with anyio.fail_after(CALL_SECONDS):
                    await self.parts.recovered_runtime.ensure(step)
            case Kill():
                await self._kill(execution)
            case HandOver():
                return await self._hand_over(execution)
            case Remove():
                return await self._remove(execution)
            case Wait():
                pass
        return execution

    async def store(self, execution: Execution) -> Execution:
        """Store a changed record. Raises ``StaleRecordError``."""
        execution = changes.acknowledged(execution, self.progress.acknowledged)
        if not await self.parts.executions.replace(execution):
            raise StaleRecordError(execution.execution_id)
        if execution.history[-1].sequence > execution.reported:
            self.progress.tell(execution)
        self.changed(execution)
        return execution

    def _step(self, execution: Execution, action: Ensure, logs: LogShare) -> Step:
        return Step(
            key=action.key,
            plan=execution.plan,
            attempts=_counting(execution),
            ticket=self.ticket,
            deadline=action.deadline,
            logs=logs,
        )

    async def _log_share(self, execution: Execution, action: Ensure) -> LogShare:
        """Divide the log budget before the result is collected; after an interruption it is divided in the same way."""
        if action.key.kind is not StepKind.PUBLISH or execution.plan.log_budget == 0:
            return LogShare()
        captured = await self.pumps.captured(execution)
        decide = partial(allotted, captured=captured)
        release = await self.parts.executions.release(execution.execution_id, decide)
        consoles = {stage: release.end(stage, attempt) for stage, attempt in _counting(execution).items()}
        return LogShare(consoles, release.files or 0)

    async def _kill(self, execution: Execution) -> None:
        try:
            with anyio.fail_after(CALL_SECONDS):
                await self.parts.recovered_runtime.kill(execution.execution_id)
        except (InsituError, TimeoutError) as error:
            # Every wake-up decides again, and the decision limits how long we wait for a kill.
            logger.warning("%s: cannot be killed now: %s", execution.execution_id, error)
        except Exception:
            logger.exception("%s: cannot be killed", execution.execution_id)

    async def _hand_over(self, execution: Execution) -> Execution:
        assert execution.outcome is not None
        await self._finish_logs(execution)
        enforcement = self.enforcement()
        # What may still be read of a failure counts as delivered, and the charge depends on it.
        decide = partial(released, wanted=await self.pumps.captured(execution))
        release = await self.parts.executions.release(execution.execution_id, decide)
        report = ExecutionReport(
            plan=execution.plan,
            history=execution.history,
            records=execution.records,
            outcome=execution.outcome,
            published=execution.published,
            released=release.total,
            released_lines=await self.pumps.lines(release),
            runtime=enforcement.runtime,
            enforcement=dict(enforcement.limits),
        )
        with anyio.fail_after(CALL_SECONDS):
            frozen = await self.parts.gateway.finish(self.ticket, report)
        if frozen.phase != execution.outcome.phase:
            logger.warning("%s: the gateway had frozen %s before", execution.execution_id, frozen.phase)
        return await self.store(changes.handed_over(execution, frozen))

    async def _remove(self, execution: Execution) -> Execution:
        finished = await self._finish_logs(execution)
        with anyio.fail_after(CALL_SECONDS):
            await self.parts.recovered_runtime.remove(execution.execution_id)
        if not finished:
            # Now that the volumes are gone there is room again, and readers of the log wait for its end.
            await self.pumps.finish(execution)
        return await self.store(changes.cleaned(execution))

    async def _finish_logs(self, execution: Execution) -> bool:
        """Complete the logs and return whether that worked: a full disk must not hold up the report or the clean-up."""
        try:
            await self.pumps.finish(execution)
        except InsituError as error:
            logger.warning("%s: its logs cannot be completed: %s", execution.execution_id, error)
            return False
        return True


def _counting(execution: Execution) -> dict[int, int]:
    """Map each stage to the attempt whose output counts."""
    return {record.stage: record.attempt for record in execution.records if record.reason is None}
