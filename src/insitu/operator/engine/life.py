"""The life of one execution: wake → observe → decide → apply, until it has ended and nothing of it is left (E6, E7).

Everything that counts is in the store and in the runtime. What is kept here may be lost at any moment: when to try
something again, which logs are being copied, what the gateway has acknowledged.
"""

import logging
from collections.abc import Callable
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
from insitu.operator.engine.waiting import Backoff, wait_until

__all__ = ["Life"]

logger = logging.getLogger("insitu.engine")

POISON = 5
"""Defects in a row after which an execution is failed rather than tried again."""

KILL_AGAIN = timedelta(seconds=1)
"""When to look again after a kill, should nothing tell of its effect."""


class Life:
    """One execution, carried from registration to nothing left.

    Parameters
    ----------
    position
        Tells the place in the queue, 0 when the execution may begin.
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
        # The record as it was read or stored last. What the runtime tells needs no newer one: a change that somebody
        # else has made wakes for itself or is found by the regular look, and refuses whatever we store meanwhile.
        self._known: Execution | None = None
        self._reread = True
        self._defects = 0
        self._trouble = Backoff(0.1, 5)
        self._silence = Backoff(0.1, 5)
        self._refusals = Backoff(0.5, 30)
        self._hand_over_after: datetime | None = None
        self.queued = True
        """Waits for capacity, so nothing that happens in the runtime concerns it."""

    def wake(self, *, record: bool = True) -> None:
        """Look again soon: something may have changed, in the runtime alone where ``record`` is false."""
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
            until = await self._guarded_turn(execution)
            if until is not None and not await wait_until(self._parts.clock, until, woken):
                self._reread = True

    async def _read(self) -> Execution | None:
        while True:
            try:
                return await self._parts.executions.get(self._id)
            except InsituError as error:
                logger.warning("%s: the record cannot be read: %s", self._id, error)
                await self._pause()

    async def _guarded_turn(self, execution: Execution) -> datetime | None:
        """Take a turn, whatever goes wrong in it; return when to look again, None for at once."""
        try:
            until = await self._turn(execution)
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
        self._trouble.succeeded()
        self._defects = 0
        return until

    async def _turn(self, execution: Execution) -> datetime | None:
        clock, version = self._parts.clock, execution.version
        until = clock.now() + self._parts.resync
        observed = await self._observe(execution)
        if observed is None:
            until = self._silence.failed(clock.now())
        else:
            self._silence.succeeded()
            self._pumps.start(observed.steps)
        self.queued = execution.phase is Phase.REGISTERED
        actions = next_actions(execution, observed, clock.now(), self._parts.rules)
        # A move is stored only if nobody else has changed the record, and changes nothing in the runtime: what was
        # read and observed still holds, so what follows from it need not wait for another look.
        while actions and all(isinstance(action, Move) for action in actions):
            for action in actions:
                execution = await self._carry_out(execution, action)
            self.queued, version = False, execution.version
            actions = next_actions(execution, observed, clock.now(), self._parts.rules)
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

    async def _observe(self, execution: Execution) -> Observed | None:
        if execution.phase is Phase.REGISTERED:
            position = self._position(self._id)
            return Observed(admitted=position == 0, position=position)
        if execution.ended or execution.cleaned:
            return Observed()
        try:
            with anyio.fail_after(CALL_SECONDS):
                return Observed(steps=await self._parts.runtime.observe(self._id))
        except (InsituError, TimeoutError) as error:
            logger.warning("%s: the runtime does not answer: %s", self._id, error)
            return None
        except Exception:
            if execution.outcome is None:
                raise
            # It is decided how the execution ended; what the runtime knows of it must not keep the report back.
            logger.exception("%s: the runtime cannot be understood", self._id)
            return None

    async def _hand_over(self, execution: Execution, action: Action, until: datetime) -> tuple[Execution, datetime]:
        """Hand over unless it failed a moment ago. What follows it, removing, does not wait for the gateway."""
        clock = self._parts.clock
        if self._hand_over_after is None or clock.now() >= self._hand_over_after:
            try:
                return await self._carry_out(execution, action), until
            except (InsituError, TimeoutError) as error:
                logger.warning("%s: the gateway does not take the report: %s", self._id, error)
                self._hand_over_after = self._refusals.failed(clock.now())
        return execution, min(until, self._hand_over_after)

    async def _count_defect(self, execution: Execution, error: Exception) -> None:
        self._defects += 1
        if self._defects < POISON or execution.ended or execution.outcome is not None:
            return
        reason = Reason(code="InfrastructureFailed", message=f"the engine met a defect ({type(error).__name__})")
        try:
            await self._carry_out.store(concluded(execution, Conclude(Phase.FAILED, reason), self._parts.clock.now()))
        except (InsituError, StaleRecordError) as failure:
            logger.warning("%s: cannot be failed now: %s", self._id, failure)

    async def _pause(self) -> None:
        clock = self._parts.clock
        await clock.sleep_until(self._trouble.failed(clock.now()))
