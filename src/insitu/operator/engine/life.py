"""The life of one execution: wake → observe → decide → act, until it has ended and nothing of it is left (E6, E7).

Everything that counts is in the store and in the runtime. What is kept here may be lost at any moment: when to try
something again, which logs are being copied, what the gateway has acknowledged.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Observed, Phase, Reason
from insitu.domain.execution_changes import concluded
from insitu.domain.ids import ExecutionId
from insitu.domain.next_actions import Action, Conclude, HandOver, Kill, Move, Wait, next_actions
from insitu.operator.engine.carry_out import CarryOut, StaleRecordError
from insitu.operator.engine.log_pump import LogPumps
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.waiting import Backoff, Pauses, wait_until

logger = logging.getLogger("insitu.engine")

POISON = 5
"""Defects in a row after which an execution fails instead of being tried again."""

KILL_AGAIN = timedelta(seconds=1)
"""When to look again after a kill, in case nothing reports its effect."""

RETRY = Backoff(0.1, 5)
"""After a call failed, or the runtime did not answer."""

REPORT_RETRY = Backoff(0.5, 30)
"""After the gateway did not take the report."""


class Life:
    """One execution, from registration until nothing of it is left.

    Parameters
    ----------
    position
        Returns the place in the queue, 0 when the execution may begin.
    """

    def __init__(
        self,
        execution_id: ExecutionId,
        parts: Parts,
        pumps: LogPumps,
        carry_out: CarryOut,
        position: Callable[[ExecutionId], int],
    ) -> None:
        self._id = execution_id
        self._parts = parts
        self._pumps = pumps
        self._carry_out = carry_out
        self._position = position
        self._woken = anyio.Event()
        # The record as it was last read or stored. News from the runtime needs no newer one: a change that was made
        # elsewhere wakes us itself or is found by the regular look, and until then the store refuses what we write.
        self._known: Execution | None = None
        self._reread = True
        self._defects = 0
        self._trouble = Pauses(RETRY)
        self._silence = Pauses(RETRY)
        self._refusals = Pauses(REPORT_RETRY)
        self._hand_over_after: datetime | None = None
        self.queued = True
        """Whether it waits for capacity, so that nothing in the runtime concerns it."""

    def wake(self, *, record: bool = True) -> None:
        """Look again soon: something may have changed, only in the runtime if ``record`` is false."""
        self._reread = self._reread or record
        self._woken.set()

    async def run(self) -> None:
        """Return once the execution has ended and nothing of it is left."""
        while True:
            self._woken = woken = anyio.Event()
            known, self._known = self._known if not self._reread else None, None
            self._reread = False
            execution = known or await self._read()
            if execution is None or (execution.ended and execution.cleaned):
                return
            until = await self._turn(execution)
            if until is not None and not await wait_until(self._parts.clock, until, woken):
                self._reread = True

    async def _read(self) -> Execution | None:
        while True:
            try:
                return await self._parts.executions.get(self._id)
            except InsituError as error:
                logger.warning("%s: the record cannot be read: %s", self._id, error)
                await self._pause()

    async def _turn(self, execution: Execution) -> datetime | None:
        """Advance the execution, whatever goes wrong; return when to look again, None for at once."""
        try:
            until = await self._advance(execution)
        except StaleRecordError:
            return None
        except (InsituError, TimeoutError) as error:
            logger.warning("%s: %s: %s", self._id, execution.phase, error)
            await self._pause()
            return None
        except Exception as error:
            # One execution that the engine cannot handle must not take the others along.
            logger.exception("%s: a defect in phase %s", self._id, execution.phase)
            await self._count_defect(execution, error)
            await self._pause()
            return None
        self._trouble.restart()
        self._defects = 0
        return until

    async def _advance(self, execution: Execution) -> datetime | None:
        """Observe, decide, and do what was decided; return when to look again, None for at once."""
        clock = self._parts.clock
        until = clock.now() + self._parts.resync
        self.queued = execution.phase is Phase.REGISTERED
        observed = await self._observe(execution)
        if observed is None:
            until = self._silence.after(clock.now())
        else:
            self._silence.restart()
            self._pumps.start(observed.steps)
        execution, actions = await self._move(execution, observed)
        version = execution.version
        for action in actions:
            if isinstance(action, Wait):
                until = min(until, action.until)
            elif isinstance(action, HandOver):
                execution, until = await self._hand_over(execution, action, until)
            else:
                execution = await self._carry_out(execution, action)
            if isinstance(action, Kill):
                until = min(until, clock.now() + KILL_AGAIN)
        self._known = execution
        return until if execution.version == version else None

    async def _move(self, execution: Execution, observed: Observed | None) -> tuple[Execution, Sequence[Action]]:
        """Store moves as long as nothing else is decided; return the record and what is decided then.

        A move is stored only if nobody else has changed the record, and it changes nothing in the runtime. So what was
        observed still holds, and the next decision needs no second look.
        """
        while True:
            actions = next_actions(execution, observed, self._parts.clock.now(), self._parts.rules)
            if not actions or not all(isinstance(action, Move) for action in actions):
                return execution, actions
            for action in actions:
                execution = await self._carry_out(execution, action)
            self.queued = False

    async def _observe(self, execution: Execution) -> Observed | None:
        if execution.phase is Phase.REGISTERED:
            position = self._position(self._id)
            return Observed(admitted=position == 0, position=position)
        if execution.ended or execution.cleaned:
            return Observed()
        try:
            with anyio.fail_after(CALL_SECONDS):
                return Observed(steps=await self._parts.recovered_runtime.observe(self._id))
        except (InsituError, TimeoutError) as error:
            logger.warning("%s: the runtime does not answer: %s", self._id, error)
            return None
        except Exception:
            if execution.outcome is None:
                raise
            # How the execution ended is decided; what the runtime knows about it must not hold up the report.
            logger.exception("%s: the runtime cannot be understood", self._id)
            return None

    async def _hand_over(self, execution: Execution, action: Action, until: datetime) -> tuple[Execution, datetime]:
        """Hand over unless that failed a moment ago. Removing, which comes next, does not wait for the gateway."""
        clock = self._parts.clock
        if self._hand_over_after is None or clock.now() >= self._hand_over_after:
            try:
                return await self._carry_out(execution, action), until
            except (InsituError, TimeoutError) as error:
                logger.warning("%s: the gateway does not take the report: %s", self._id, error)
                self._hand_over_after = self._refusals.after(clock.now())
        return execution, min(until, self._hand_over_after)

    async def _count_defect(self, execution: Execution, error: Exception) -> None:
        self._defects += 1
        if self._defects < POISON or execution.ended or execution.outcome is not None:
            return
        reason = Reason(code="InfrastructureFailed", message=f"the engine met a defect ({type(error).__name__})")
        try:
            await self._carry_out.store(concluded(execution, Conclude(Phase.FAILED, reason), self._parts.clock.now()))
        except (InsituError, StaleRecordError) as failure:
            logger.warning("%s: cannot be marked as failed now: %s", self._id, failure)

    async def _pause(self) -> None:
        clock = self._parts.clock
        await clock.sleep_until(self._trouble.after(clock.now()))
