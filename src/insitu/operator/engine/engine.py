"""The OPERATOR ENGINE: carries every execution of the store from registration to nothing left (E4–E7)."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import anyio
from anyio.abc import TaskGroup

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ImageReference
from insitu.operator.capacity import queue_positions
from insitu.operator.engine.carry_out import CarryOut
from insitu.operator.engine.gate import GatedRuntime
from insitu.operator.engine.life import Life
from insitu.operator.engine.log_pump import LogPumps
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.operator.engine.progress import ProgressReport
from insitu.operator.engine.retention import forget_regularly
from insitu.operator.engine.waiting import Backoff, Changes, wait_until
from insitu.ports.runtime import Enforcement

__all__ = ["Engine"]

logger = logging.getLogger("insitu.engine")

PATIENCE = 10.0
"""Seconds for which the first look waits for the runtime to recover, so that nothing is tried in vain."""

PROVING = 60.0
"""Seconds for which somebody who asks before the first proof waits for it; on a cluster it takes some of them."""

PROOF_LASTS = timedelta(days=1)
"""How long the runtime's proof of its walls is believed."""

REFUSAL_LASTS = timedelta(minutes=1)
"""When a runtime that was refused is tried again: somebody may have mended it."""


class Engine:
    """One loop per process that finds work, and a task per execution that does it.

    The store is the only memory: killing the process at any moment loses nothing, and a second start goes on where
    the first one was. One engine at a time works on a store; the lock of the data folder or a lease sees to that.
    """

    def __init__(self, parts: Parts) -> None:
        self._runtime = GatedRuntime(parts.runtime)
        self._parts = replace(parts, runtime=self._runtime)
        self._changes = Changes()
        self._lives: dict[ExecutionId, Life] = {}
        self._begun: set[ExecutionId] = set()
        self._positions: Mapping[ExecutionId, int] = {}
        self._woken = anyio.Event()
        self._enforcement: Enforcement | None = None
        self._proof_ends: datetime | None = None
        self._proof_wanted = anyio.Event()
        self._probed = anyio.Event()
        self._doubt = "its walls are not proved yet"

    async def require_runtime(self) -> Enforcement:
        """Return what the runtime proved, in this process or in the one that leads.

        A first probe that goes on is waited for. Raises the code of what was refused, and
        ``RuntimeUnavailable`` where nothing is proved.
        """
        found = self._enforcement or await self._parts.runtime.proof()
        if found is None:
            with anyio.move_on_after(PROVING):
                await self._probed.wait()
            found = self._enforcement or Enforcement("unknown", {}, refusals=(self._doubt,))
        if found.refusals:
            raise InsituError(found.code, "; ".join(found.refusals))
        return found

    def wake(self, execution_id: ExecutionId | None = None) -> None:
        """Look for work: an execution was registered, or the one that is named has changed."""
        if execution_id is not None:
            self._changes.tell(execution_id)
            if execution_id in self._lives:
                self._lives[execution_id].wake()
                return
        self._woken.set()

    def prove(self) -> None:
        """Let the runtime prove its walls once more, soon."""
        self._proof_wanted.set()

    async def require_image(self, image: ImageReference) -> None:
        """Raise ``ImageUnavailable`` where the runtime knows that it cannot have the image; it need not work yet."""
        await self._runtime.require_image(image)

    def next_change(self, execution_id: ExecutionId) -> anyio.Event:
        """Return the event of the next change of a record; take it before reading the record."""
        return self._changes.next(execution_id)

    async def run(self) -> None:
        """Work until cancelled. It can be called again after that: what was begun before is begun anew."""
        self._begun.clear()
        # Whoever asked before the engine ran waits for this very event.
        self._enforcement, self._probed = None, anyio.Event() if self._probed.is_set() else self._probed
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._recover)
            with anyio.move_on_after(PATIENCE):
                await self._runtime.recovered.wait()
            tasks.start_soon(self._probe)
            tasks.start_soon(self._watch_runtime)
            tasks.start_soon(self._sweep_regularly)
            tasks.start_soon(forget_regularly, self._parts)
            await self._supervise(tasks)

    async def _recover(self) -> None:
        clock, backoff = self._parts.clock, Backoff(0.2, 10)
        while True:
            try:
                await self._runtime.recover()
            except InsituError as error:
                # Nothing may start before what was left behind is dealt with; the gate sees to that.
                logger.error("the runtime cannot recover: %s", error)  # noqa: TRY400 - the error says it all
                await clock.sleep_until(backoff.failed(clock.now()))
            else:
                return

    async def _probe(self) -> None:
        """Let the runtime prove its walls at the start, and again whenever a look finds the proof too old."""
        clock, backoff = self._parts.clock, Backoff(1, 60)
        while True:
            try:
                with anyio.fail_after(CALL_SECONDS):
                    found = self._enforcement = await self._parts.runtime.probe()
            except (InsituError, TimeoutError) as error:
                logger.warning("the runtime cannot be probed: %s", error)
                self._doubt = f"its walls cannot be proved now: {error}"
                self._probed.set()
                await clock.sleep_until(backoff.failed(clock.now()))
                continue
            backoff.succeeded()
            self._probed.set()
            if found.refusals:
                logger.error("executions are refused: %s: %s", found.code, "; ".join(found.refusals))
            self._proof_wanted = anyio.Event()
            self._proof_ends = clock.now() + (REFUSAL_LASTS if found.refusals else PROOF_LASTS)
            await self._proof_wanted.wait()

    async def _watch_runtime(self) -> None:
        clock, backoff = self._parts.clock, Backoff(0.2, 10)
        while True:
            changed = None
            try:
                changed = await self._parts.runtime.changed()
                backoff.succeeded()
            except InsituError as error:
                logger.warning("the runtime cannot be watched: %s", error)
                await clock.sleep_until(backoff.failed(clock.now()))
            for execution_id, life in tuple(self._lives.items()):
                if not life.queued and (changed is None or execution_id in changed):
                    life.wake(record=False)

    async def _sweep_regularly(self) -> None:
        clock = self._parts.clock
        await self._runtime.recovered.wait()
        while True:
            try:
                await self._sweep()
            except (InsituError, TimeoutError) as error:
                logger.warning("the sweeper failed: %s", error)
            await clock.sleep_until(clock.now() + self._parts.resync)

    async def _sweep(self) -> None:
        """Remove what belongs to no execution that has work left."""
        # The runtime is asked first: what it has now was stored before it was started.
        present = await self._parts.runtime.running()
        if not present:
            return
        known = {each.execution_id for each in await self._parts.executions.unsettled() if not each.cleaned}
        for execution_id in sorted(present - known):
            logger.warning("%s: left behind in the infrastructure, removed", execution_id)
            with anyio.fail_after(CALL_SECONDS):
                await self._parts.runtime.remove(execution_id)

    async def _supervise(self, tasks: TaskGroup) -> None:
        clock, backoff = self._parts.clock, Backoff(0.1, 5)
        while True:
            self._woken = woken = anyio.Event()
            try:
                await self._look(tasks)
                backoff.succeeded()
            except InsituError as error:
                logger.warning("the executions cannot be read: %s", error)
                await clock.sleep_until(backoff.failed(clock.now()))
                continue
            await wait_until(clock, clock.now() + self._parts.resync, woken)

    async def _look(self, tasks: TaskGroup) -> None:
        """Begin the life of every execution with work left, and wake those whose turn in the queue has come."""
        if self._proof_ends is not None and self._parts.clock.now() >= self._proof_ends:
            # A deadline like any other, so no timer of a day is needed; the regular look finds it in time.
            self.prove()
        unsettled = await self._parts.executions.unsettled()
        before, self._positions = self._positions, queue_positions(unsettled, self._parts.capacity)
        for execution in unsettled:
            if execution.execution_id not in self._begun:
                self._begun.add(execution.execution_id)
                tasks.start_soon(self._live, execution.execution_id)
        for execution_id, position in self._positions.items():
            if position == 0 and before.get(execution_id) != 0 and execution_id in self._lives:
                self._lives[execution_id].wake()

    async def _live(self, execution_id: ExecutionId) -> None:
        clock, parts = self._parts.clock, self._parts
        try:
            execution = await parts.executions.get(execution_id)
            if execution is None:
                return
            ticket = await parts.executions.ticket(execution_id)
            async with anyio.create_task_group() as tasks:
                pumps = LogPumps(execution_id, parts, tasks)
                progress = ProgressReport(execution, ticket, parts)
                carry_out = CarryOut(
                    ticket,
                    parts,
                    pumps,
                    progress,
                    enforcement=lambda: self._enforcement or Enforcement("unknown", {}),
                    changed=self._tell,
                )
                tasks.start_soon(progress.run)
                life = Life(execution_id, parts, pumps, carry_out, self._position)
                self._lives[execution_id] = life
                await life.run()
                tasks.cancel_scope.cancel()
        except InsituError as error:
            logger.warning("%s: %s; looked at again later", execution_id, error)
            await clock.sleep_until(clock.now() + parts.resync)
        finally:
            self._lives.pop(execution_id, None)
            self._begun.discard(execution_id)
            self._woken.set()

    def _position(self, execution_id: ExecutionId) -> int:
        # An execution that is not in the last look waits for the next one.
        return self._positions.get(execution_id, 1)

    def _tell(self, execution: Execution) -> None:
        self._changes.tell(execution.execution_id)
        if execution.cleaned:
            # Its capacity is free, even if the gateway does not know of its end yet.
            self._woken.set()
