"""Who may see and do what with an execution: its consumer, the owners of its inputs, the provider (design §7)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId, read_agreement_id, read_execution_id
from insitu.gateway.tokens import Caller
from insitu.ports.agreement_records import StoredExecution
from insitu.ports.agreements import Agreements
from insitu.ports.chain import Chain
from insitu.ports.clock import Clock

__all__ = ["Access", "Role", "Seen"]

Role = Literal["consumer", "owner", "provider"]

OWNERS_KEPT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """An execution and in which role the caller sees it."""

    execution: StoredExecution
    role: Role
    caller: Caller

    @property
    def is_told_everything(self) -> bool:
        """Whether sentences, exit codes and use are shown: to the provider, and where the policy is live."""
        return self.role == "provider" or self.execution.plan.output.logs == "live"


class Access:
    """Finds executions for callers. Seeing one needs a role in it, not a live agreement."""

    def __init__(self, provider: Address, agreements: Agreements, chain: Chain, clock: Clock) -> None:
        self._provider = provider
        self._agreements = agreements
        self._chain = chain
        self._clock = clock
        self._owners: dict[str, tuple[str | None, datetime | None]] = {}

    async def see(
        self,
        caller: Caller,
        agreement: str,
        execution: str,
        roles: Collection[Role] = ("consumer", "owner", "provider"),
    ) -> Seen:
        """Return an execution for a caller who has one of these roles.

        Raises ``InvalidId``, ``AudienceMismatch``, ``ExecutionUnknown`` (also where the two ids do not belong
        together), ``NotConsumer``.
        """
        agreement_id, execution_id = read_agreement_id(agreement), read_execution_id(execution)
        caller.require(agreement_id, execution_id)
        found = await self._find(agreement_id, execution_id)
        role = await self._role(caller.address, found)
        if role is None or role not in roles:
            raise InsituError("NotConsumer", f"{caller.address} may not see this of execution {execution_id}")
        return Seen(found, role, caller)

    async def list(self, caller: Caller, agreement: str | None, limit: int) -> tuple[Seen, ...]:
        """Return the executions that a caller may see, newest first."""
        agreement_id = read_agreement_id(agreement) if agreement is not None else caller.agreement
        caller.require(agreement_id)
        if caller.address.lower() == self._provider.lower():
            found = await self._agreements.executions(agreement_id=agreement_id, limit=limit)
            return tuple(Seen(one, "provider", caller) for one in found)
        owned = await self._owned(caller.address)
        found = await self._agreements.executions(
            agreement_id=agreement_id, consumer=caller.address, input_dids=owned, limit=limit
        )
        return tuple(Seen(one, "consumer" if _consumes(caller.address, one) else "owner", caller) for one in found)

    async def _find(self, agreement_id: AgreementId, execution_id: ExecutionId) -> StoredExecution:
        found = await self._agreements.execution(execution_id)
        if found is None or found.agreement_id != agreement_id:
            raise InsituError("ExecutionUnknown", f"agreement {agreement_id} has no execution {execution_id}")
        return found

    async def _role(self, address: Address, execution: StoredExecution) -> Role | None:
        if _consumes(address, execution):
            return "consumer"
        if address.lower() == self._provider.lower():
            return "provider"
        dids = {one.did for stage in execution.plan.stages for one in stage.inputs if one.did is not None}
        return "owner" if await self._owns_one(address, dids) else None

    async def _owns_one(self, address: Address, dids: Collection[str]) -> bool:
        for did in dids:
            record = await self._chain.did_record(did)
            if record is not None and record.owner.lower() == address.lower():
                return True
        return False

    async def _owned(self, address: Address) -> tuple[str, ...]:
        """The data sets of an account, for lists: an owner of some seconds ago is good enough to find executions."""
        now, owned = self._clock.now(), []
        for did in await self._agreements.input_dids():
            owner, since = self._owners.get(did, (None, None))
            if since is None or now > since + OWNERS_KEPT:
                record = await self._chain.did_record(did)
                owner = record.owner.lower() if record is not None else None
                self._owners[did] = (owner, now)
            if owner == address.lower():
                owned.append(did)
        return tuple(owned)


def _consumes(address: Address, execution: StoredExecution) -> bool:
    return execution.plan.consumer.lower() == address.lower()
