"""Tells the gateway every transition, in order, until it has acknowledged it; never in the way of the execution."""

import logging

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.operator.engine.waiting import Backoff

__all__ = ["ProgressReport"]

logger = logging.getLogger("insitu.engine")


class ProgressReport:
    """The progress of one execution as the gateway knows it.

    ``acknowledged`` is stored with the record's next change. What a crash forgets is told again, which is harmless.
    """

    def __init__(self, execution: Execution, ticket: str, parts: Parts) -> None:
        self._execution = execution
        self._ticket = ticket
        self._parts = parts
        self._changed = anyio.Event()
        self.acknowledged = execution.reported

    def tell(self, execution: Execution) -> None:
        """Take note of a changed record."""
        self._execution = execution
        self._changed.set()

    async def run(self) -> None:
        """Push what the gateway does not know yet, for ever."""
        clock, backoff = self._parts.clock, Backoff(0.2, 30)
        while True:
            self._changed = anyio.Event()
            try:
                await self._push()
                backoff.succeeded()
            except (InsituError, TimeoutError) as error:
                logger.warning("%s: the gateway does not take progress: %s", self._execution.execution_id, error)
                await clock.sleep_until(backoff.failed(clock.now()))
                continue
            except Exception:
                # Progress is a courtesy: the report at the end has everything.
                logger.exception("%s: progress is not told any more", self._execution.execution_id)
                return
            await self._changed.wait()

    async def _push(self) -> None:
        pending = [each for each in self._execution.history if each.sequence > self.acknowledged]
        if pending:
            with anyio.fail_after(CALL_SECONDS):
                await self._parts.gateway.progress(self._ticket, self._execution.execution_id, pending)
            self.acknowledged = pending[-1].sequence
