"""Hands executions to the operator until it has them (E3)."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from insitu.domain.errors import Failure, InsituError
from insitu.domain.execution import Phase, Reason
from insitu.gateway.agreements.assessor import nothing_runs
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.finisher import Finisher
from insitu.gateway.sign_in.ticket_issuer import TicketIssuer
from insitu.gateway.wakeups import REGISTRATIONS
from insitu.ports.agreement_changes import Acknowledge
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.peers import OperatorPeer, Registration

logger = logging.getLogger(__name__)

RETRY = 2.0
IDLE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Registers stored executions. Registering twice is harmless, because the operator knows their ids."""

    ports: GatewayPorts
    operator: OperatorPeer
    ticket_issuer: TicketIssuer
    finisher: Finisher

    async def register(self, execution: StoredExecution) -> None:
        """Hand an execution to the operator.

        If the operator does not answer, or is still cleaning up after the agreement's last execution, it is asked again
        in the background. If it refuses, the execution ends and the refusal is raised.
        """
        try:
            await self._hand_over(execution)
        except InsituError as error:
            if _may_pass(error):
                logger.warning("the operator does not take %s yet: %s", execution.execution_id, error)
                self.ports.wakeups.ring(REGISTRATIONS)
                return
            await self._end(execution, error)
            raise

    async def run(self) -> None:
        """Register what is not acknowledged until cancelled; at the start, everything that is live."""
        everything = True
        while True:
            seen = self.ports.wakeups.count(REGISTRATIONS)
            waiting = await self.turn(everything=everything)
            everything = False
            await self.ports.wakeups.wait(REGISTRATIONS, seen, seconds=RETRY if waiting else IDLE)

    async def turn(self, *, everything: bool = False) -> bool:
        """Try once for each execution that waits. Return whether any still waits."""
        waiting, grace = False, timedelta(seconds=self.ports.configuration.late_after)
        for execution in await self.ports.agreements.live():
            if self.ports.clock.now() > execution.plan.finish_by + grace:
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
            if not execution.acknowledged and self.ports.clock.now() >= execution.plan.start_before:
                await self._end(execution, InsituError("QueueTimeout", f"the operator did not take it: {error.detail}"))
                return True
            return execution.acknowledged
        except Exception:
            logger.exception("%s cannot be registered", execution.execution_id)
            return False
        return True

    async def _hand_over(self, execution: StoredExecution) -> None:
        await self.operator.register(
            Registration(
                plan=execution.plan,
                workflow=execution.dossier.workflow,
                services=execution.dossier.services,
                ticket=self.ticket_issuer.issue(execution.execution_id),
            )
        )
        await self.ports.agreements.apply([Acknowledge(execution.execution_id)])

    async def _end(self, execution: StoredExecution, error: InsituError) -> None:
        logger.warning("execution %s ends: %s", execution.execution_id, error)
        await self.finisher.end(execution, Phase.FAILED, Reason(code=error.code, message=error.detail))


def _may_pass(error: InsituError) -> bool:
    return not nothing_runs(error) and (error.definition.retry or isinstance(error, Failure))
