"""Tickets: the right of one execution's pods to fetch its inputs and deliver its output (E3, E5, E9)."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.domain.ids import ExecutionId, read_execution_id
from insitu.gateway.configuration import Keyring
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import StoredExecution

MAX_TICKET = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketIssuer:
    """Issues tickets and reads them.

    A ticket is derived from the execution's id and a key. So nothing secret is stored, and a registration that is
    sent again carries the same ticket.
    """

    ports: GatewayPorts
    keyring: Keyring

    def issue(self, execution_id: ExecutionId) -> str:
        """Return the ticket of an execution."""
        return f"{execution_id}.{hmac.new(self.keyring.tickets, execution_id.encode(), hashlib.sha256).hexdigest()}"

    async def read(self, ticket: str) -> StoredExecution:
        """Return the execution of a ticket, whether it has ended or not: reporting an outcome twice is harmless.

        Raises ``InvalidToken``.
        """
        text, _, _ = ticket[:MAX_TICKET].partition(".")
        try:
            execution_id = read_execution_id(text)
        except InsituError:
            raise InsituError("InvalidToken", "this is not the ticket of an execution") from None
        if not hmac.compare_digest(self.issue(execution_id).encode(), ticket.encode()):
            raise InsituError("InvalidToken", "this is not the ticket of an execution")
        execution = await self.ports.agreements.execution(execution_id)
        if execution is None:
            raise InsituError("InvalidToken", "the ticket's execution is unknown")
        return execution

    async def use(self, ticket: str) -> StoredExecution:
        """Return the live execution of a ticket. Only a live one may fetch or deliver bytes.

        Raises ``InvalidToken``, ``TokenExpired``.
        """
        execution = await self.read(ticket)
        grace = timedelta(seconds=self.ports.configuration.late_after)
        if not execution.live or self.ports.clock.now() > execution.plan.finish_by + grace:
            raise InsituError("TokenExpired", f"the ticket of {execution.execution_id} is no longer valid")
        return execution
