"""Reports every transition to the gateway, in order, until it is acknowledged. It never holds up the execution."""

import logging

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution
from insitu.operator.engine.parts import CALL_SECONDS, Parts
from insitu.waiting import Backoff, Pauses

logger = logging.getLogger("insitu.engine")

RETRY = Backoff(0.2, 30)
"""After the gateway did not take the progress."""


class ProgressReport:
    """The progress of one execution as the gateway knows it.

    ``acknowledged`` is stored with the record's next change. What a crash loses is reported again, which is harmless.
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
        """Push what the gateway does not know yet, until cancelled."""
        clock, pauses = self._parts.clock, Pauses(RETRY)
        while True:
            self._changed = anyio.Event()
            try:
                await self._push()
                pauses.restart()
            except (InsituError, TimeoutError) as error:
                logger.warning("%s: the gateway does not take progress: %s", self._execution.execution_id, error)
                await clock.sleep_until(pauses.after(clock.now()))
                continue
            except Exception:
                # Progress is a courtesy: the report at the end contains everything.
                logger.exception("%s: progress is no longer reported", self._execution.execution_id)
                return
            await self._changed.wait()

    async def _push(self) -> None:
        pending = [transition for transition in self._execution.history if transition.sequence > self.acknowledged]
        if pending:
            with anyio.fail_after(CALL_SECONDS):
                await self._parts.gateway.progress(self._ticket, self._execution.execution_id, pending)
            self.acknowledged = pending[-1].sequence
