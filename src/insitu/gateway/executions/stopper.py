"""Stopping an execution before it ends by itself."""

from dataclasses import dataclass

from insitu.api.gateway_v1 import Role
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase, Reason
from insitu.gateway.executions.execution_finder import ExecutionFinder, Seen
from insitu.gateway.results.finisher import Finisher
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.peers import OperatorPeer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopper:
    """Stops executions for anyone who has a role in them."""

    operator: OperatorPeer
    execution_finder: ExecutionFinder
    finisher: Finisher

    async def stop(self, caller: Caller, agreement: str, execution: str) -> Seen:
        """Ask for the end of an execution and return it as it is then; one that has ended stays as it is.

        Raises what :meth:`ExecutionFinder.see` raises.
        """
        seen = await self.execution_finder.see(caller, agreement, execution)
        if not seen.execution.live:
            return seen
        await self.end(seen.execution, seen.role)
        return await self.execution_finder.see(caller, agreement, execution)

    async def end(self, execution: StoredExecution, role: Role) -> None:
        """Ask for the end of a live execution on behalf of somebody with this role."""
        try:
            await self.operator.stop(execution.agreement_id, execution.execution_id, role)
        except InsituError as error:
            if error.code != "ExecutionUnknown" or execution.acknowledged:
                raise
            # The operator has never had it, so there is nothing to end but the record.
            reason = Reason(code=f"StoppedBy{role.capitalize()}", message=f"stopped by the {role}")
            await self.finisher.end(execution, Phase.STOPPED, reason)
