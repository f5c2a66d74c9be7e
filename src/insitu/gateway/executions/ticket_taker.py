"""The gateway as the operator and its pods see it: every call shows the execution's ticket (ports/peers.py)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import ENDED, Transition
from insitu.domain.ids import ExecutionId
from insitu.gateway.files.file_server import FileServer
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.finisher import Finisher
from insitu.gateway.sign_in.ticket_issuer import TicketIssuer
from insitu.gateway.wakeups import events_of
from insitu.ports.agreement_changes import AddTransition
from insitu.ports.peers import ExecutionReport, GatewayPeer

MANIFEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTaker(GatewayPeer):
    """Takes the progress, files and report of executions. It needs no operator, so an operator can be built on it."""

    ports: GatewayPorts
    ticket_issuer: TicketIssuer
    file_server: FileServer
    finisher: Finisher

    @override
    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        execution = await self.ticket_issuer.read(ticket)
        if execution.execution_id != execution_id:
            raise InsituError("InvalidToken", f"the ticket does not belong to {execution_id}")
        if not execution.live:
            return
        # Only the gateway decides how an execution ended, so final phases are left out.
        changes = [
            AddTransition(execution_id, transition) for transition in transitions if transition.phase not in ENDED
        ]
        await self.ports.agreements.apply(changes)
        self.ports.wakeups.ring(events_of(execution_id))

    @override
    async def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        execution = await self.ticket_issuer.use(ticket)
        async for chunk in await self.file_server.fetch(execution, reference):
            yield chunk

    @override
    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        execution = await self.ticket_issuer.use(ticket)
        # Logs and the manifest are delivered in addition to the output.
        limit = execution.plan.output.max_bytes + execution.plan.log_budget + MANIFEST_BYTES
        await self.ports.blobs.put(chunks, sha256=sha256, limit=limit)

    @override
    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        return await self.finisher.finish(await self.ticket_issuer.read(ticket), report)
