"""The OPERATOR ENGINE: carries every execution in the store from registration until nothing of it is left (E4–E7)."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import anyio
from anyio.abc import TaskGroup

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ImageReference
from insitu.operator.capacity import queue_positions
from insitu.operator.engine.carry_out import CarryOut
from insitu.operator.engine.life import Life
from insitu.operator.engine.log_pump import LogPumps
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.operator.engine.progress import ProgressReport
from insitu.operator.engine.retention import forget_regularly
from insitu.ports.runtime import Enforcement
from insitu.waiting import Backoff, Bell, Pauses, wait_until

logger = logging.getLogger("insitu.engine")

PATIENCE = 10.0
"""Seconds for which the first look waits for the runtime to recover, so that nothing is tried in vain."""

PROVING = 60.0
"""Seconds for which a caller waits for the first proof; on a cluster a proof takes some seconds."""

PROOF_LASTS = timedelta(days=1)
"""How long the runtime's proof of its walls is believed."""

REFUSAL_LASTS = timedelta(minutes=1)
"""When to probe a runtime again that was refused: somebody may have fixed it."""

STORE_RETRY = Backoff(0.1, 5)
"""After the store did not answer."""

RUNTIME_RETRY = Backoff(0.2, 10)
"""After the runtime did not recover, or could not be watched."""

PROBE_RETRY = Backoff(1, 60)
"""After the runtime could not be probed."""


class Engine:
    """One loop per process that finds work, and a task per execution that does it.

    The store is the only memory: killing the process at any moment loses nothing, and the next start continues where
    the last one stopped. One engine at a time works on a store; the lock of the data folder or a lease ensures that.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = replace(parts, recovered=anyio.Event())
        self._changes: WeakValueDictionary[ExecutionId, Bell] = WeakValueDictionary()
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

        Waits for the first probe while it runs. Raises the code of what was refused, and ``RuntimeUnavailable`` if
        nothing is proved.
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
        """Look for work: an execution was registered, or the named one has changed."""
        if execution_id is not None:
            self._ring(execution_id)
            if execution_id in self._lives:
                self._lives[execution_id].wake()
                return
        self._woken.set()

    def prove(self) -> None:
        """Let the runtime prove its walls again soon."""
        self._proof_wanted.set()

    async def require_image(self, image: ImageReference) -> None:
        """Raise ``ImageUnavailable`` if the runtime knows that it cannot get the image; it need not have recovered."""
        await self._parts.runtime.require_image(image)

    def changes(self, execution_id: ExecutionId) -> Bell:
        """Return the bell that rings whenever the record changes. It is kept only while somebody holds it."""
        return self._changes.setdefault(execution_id, Bell())

    async def run(self) -> None:
        """Work until cancelled. After that it can be called again: everything is begun again."""
        self._begun.clear()
        # Callers that asked before the engine ran wait for this very event.
        self._enforcement, self._probed = None, anyio.Event() if self._probed.is_set() else self._probed
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._recover)
            with anyio.move_on_after(PATIENCE):
                await self._parts.recovered.wait()
            tasks.start_soon(self._probe)
            tasks.start_soon(self._watch_runtime)
            tasks.start_soon(self._sweep_regularly)
            tasks.start_soon(forget_regularly, self._parts)
            await self._supervise(tasks)

    async def _recover(self) -> None:
        clock, pauses = self._parts.clock, Pauses(RUNTIME_RETRY)
        while True:
            try:
                await self._parts.runtime.recover()
            except InsituError as error:
                # Nothing may start before what was left behind is dealt with: see `Parts.recovered_runtime`.
                logger.error("the runtime cannot recover: %s", error)  # noqa: TRY400 - the error says it all
                await clock.sleep_until(pauses.after(clock.now()))
            else:
                self._parts.recovered.set()
                return

    async def _probe(self) -> None:
        """Let the runtime prove its walls at the start, and again whenever the proof is too old."""
        clock, pauses = self._parts.clock, Pauses(PROBE_RETRY)
        while True:
            try:
                with anyio.fail_after(CALL_SECONDS):
                    await self._parts.recovered.wait()
                    found = self._enforcement = await self._parts.runtime.probe()
            except (InsituError, TimeoutError) as error:
                logger.warning("the runtime cannot be probed: %s", error)
                self._doubt = f"its walls cannot be proved now: {error}"
                self._probed.set()
                await clock.sleep_until(pauses.after(clock.now()))
                continue
            pauses.restart()
            self._probed.set()
            if found.refusals:
                logger.error("executions are refused: %s: %s", found.code, "; ".join(found.refusals))
            self._proof_wanted = anyio.Event()
            self._proof_ends = clock.now() + (REFUSAL_LASTS if found.refusals else PROOF_LASTS)
            await self._proof_wanted.wait()

    async def _watch_runtime(self) -> None:
        clock, pauses = self._parts.clock, Pauses(RUNTIME_RETRY)
        await self._parts.recovered.wait()
        while True:
            changed = None
            try:
                changed = await self._parts.runtime.changed()
                pauses.restart()
            except InsituError as error:
                logger.warning("the runtime cannot be watched: %s", error)
                await clock.sleep_until(pauses.after(clock.now()))
            for execution_id, life in tuple(self._lives.items()):
                if not life.queued and (changed is None or execution_id in changed):
                    life.wake(record=False)

    async def _sweep_regularly(self) -> None:
        clock = self._parts.clock
        await self._parts.recovered.wait()
        while True:
            try:
                await self._sweep()
            except (InsituError, TimeoutError) as error:
                logger.warning("the sweeper failed: %s", error)
            await clock.sleep_until(clock.now() + self._parts.resync)

    async def _sweep(self) -> None:
        """Remove what belongs to no execution that has work left."""
        # Ask the runtime first: everything that it has now was stored before it was started.
        present = await self._parts.runtime.running()
        if not present:
            return
        unsettled = await self._parts.executions.unsettled()
        known = {execution.execution_id for execution in unsettled if not execution.cleaned}
        for execution_id in sorted(present - known):
            logger.warning("%s: left behind in the infrastructure, removed", execution_id)
            with anyio.fail_after(CALL_SECONDS):
                await self._parts.runtime.remove(execution_id)

    async def _supervise(self, tasks: TaskGroup) -> None:
        clock, pauses = self._parts.clock, Pauses(STORE_RETRY)
        while True:
            self._woken = woken = anyio.Event()
            try:
                await self._look(tasks)
                pauses.restart()
            except InsituError as error:
                logger.warning("the executions cannot be read: %s", error)
                await clock.sleep_until(pauses.after(clock.now()))
                continue
            await wait_until(clock, clock.now() + self._parts.resync, woken)

    async def _look(self, tasks: TaskGroup) -> None:
        """Begin the life of every execution with work left, and wake those that have reached the head of the queue."""
        if self._proof_ends is not None and self._parts.clock.now() >= self._proof_ends:
            # A deadline like any other: the regular look finds it in time, so it needs no timer of its own.
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
                    changed=self._announce,
                )
                tasks.start_soon(progress.run)
                life = Life(execution_id, parts, pumps, carry_out, self._position)
                self._lives[execution_id] = life
                await life.run()
                tasks.cancel_scope.cancel()
        except InsituError as error:
            logger.warning("%s: %s; trying again later", execution_id, error)
            await clock.sleep_until(clock.now() + parts.resync)
        finally:
            self._lives.pop(execution_id, None)
            self._begun.discard(execution_id)
            self._woken.set()

    def _position(self, execution_id: ExecutionId) -> int:
        # An execution that the last look did not find waits for the next one.
        return self._positions.get(execution_id, 1)

    def _announce(self, execution: Execution) -> None:
        self._ring(execution.execution_id)
        if execution.cleaned:
            # Its capacity is free, even if the gateway does not know yet that it has ended.
            self._woken.set()

    def _ring(self, execution_id: ExecutionId) -> None:
        bell = self._changes.get(execution_id)
        if bell is not None:
            bell.ring()
