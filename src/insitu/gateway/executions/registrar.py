"""Handing executions to the operator, until it has them (E3)."""

import logging
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason
from insitu.gateway.agreements.assessor import nothing_runs
from insitu.gateway.results.finisher import Finishing
from insitu.gateway.sign_in.ticket_issuer import Tickets
from insitu.gateway.wakeups import REGISTRATIONS, Wakeups
from insitu.ports.agreement_changes import Acknowledge
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.agreements import Agreements
from insitu.ports.clock import Clock
from insitu.ports.peers import OperatorPeer, Registration

__all__ = ["Registrar"]

logger = logging.getLogger(__name__)

RETRY = 2.0
IDLE = 60.0


class Registrar:
    """Registers stored executions; registering again is harmless, for the operator knows their ids."""

    def __init__(
        self,
        agreements: Agreements,
        operator: OperatorPeer,
        tickets: Tickets,
        finishing: Finishing,
        clock: Clock,
        wakeups: Wakeups,
        late_after: float,
    ) -> None:
        self._agreements = agreements
        self._operator = operator
        self._tickets = tickets
        self._finishing = finishing
        self._clock = clock
        self._wakeups = wakeups
        self._late_after = timedelta(seconds=late_after)

    async def register(self, execution: StoredExecution) -> None:
        """Hand an execution over.

        An operator that does not answer, or still cleans up after the agreement's last execution, is asked again in
        the background. One that refuses ends the execution, and its refusal is raised.
        """
        try:
            await self._hand_over(execution)
        except InsituError as error:
            if _may_pass(error):
                logger.warning("the operator does not take %s yet: %s", execution.execution_id, error)
                self._wakeups.ring(REGISTRATIONS)
                return
            await self._end(execution, error)
            raise

    async def run(self) -> None:
        """Register what is not acknowledged, until cancelled; at the start everything that is live."""
        everything = True
        while True:
            seen = self._wakeups.count(REGISTRATIONS)
            waiting = await self.turn(everything=everything)
            everything = False
            await self._wakeups.wait(REGISTRATIONS, seen, seconds=RETRY if waiting else IDLE)

    async def turn(self, *, everything: bool = False) -> bool:
        """Try once for each execution that waits; tell whether any still does."""
        waiting = False
        for execution in await self._agreements.live():
            if self._clock.now() > execution.plan.finish_by + self._late_after:
                message = "the operator did not report an outcome in time"
                await self._end(execution, InsituError("InfrastructureFailed", message))
                continue
            if execution.acknowledged and not everything:
                continue
            waiting |= not await self._try(execution)
        return waiting

    async def _try(self, execution: StoredExecution) -> bool:
        try:
            await self._hand_over(execution)
        except InsituError as error:
            if not _may_pass(error):
                await self._end(execution, error)
                return True
            if not execution.acknowledged and self._clock.now() >= execution.plan.start_before:
                await self._end(execution, InsituError("QueueTimeout", f"the operator did not take it: {error.detail}"))
                return True
            return execution.acknowledged
        except Exception:
            logger.exception("%s cannot be registered", execution.execution_id)
            return False
        return True

    async def _hand_over(self, execution: StoredExecution) -> None:
        await self._operator.register(
            Registration(
                plan=execution.plan,
                workflow=execution.dossier.workflow,
                services=execution.dossier.services,
                ticket=self._tickets.issue(execution.execution_id),
            )
        )
        await self._agreements.apply([Acknowledge(execution.execution_id)])

    async def _end(self, execution: StoredExecution, error: InsituError) -> None:
        logger.warning("execution %s ends: %s", execution.execution_id, error)
        await self._finishing.end(execution, Phase.FAILED, Reason(code=error.code, message=error.detail))


def _may_pass(error: InsituError) -> bool:
    return not nothing_runs(error) and (error.definition.retry or error.definition.status >= 500)
