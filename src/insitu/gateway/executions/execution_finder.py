"""Who may see an execution, and what of it: its consumer, the owners of its inputs, the provider."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypedDict

from insitu.api.gateway_v1 import Role
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId, ExecutionId, read_agreement_id, read_execution_id
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.agreement_records import EventRecord, StoredExecution
from insitu.ports.bought_agreements import BoughtFilter

OWNERS_KEPT = timedelta(seconds=10)


class _Mine(TypedDict, total=False):
    """Which executions a caller may see; empty for all."""

    consumer: Address
    input_dids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """An execution, and the role in which the caller sees it."""

    execution: StoredExecution
    role: Role
    caller: Caller
    owned: frozenset[str] = frozenset()
    """DIDs of data sets that the caller owns."""

    def sees(self, stage: int | None = None) -> bool:
        """Return whether the log, exit code and usage of a stage are shown; without a stage, messages about the whole.

        The provider sees everything. The consumer sees what the rules let out, no matter what they own. An owner sees
        a stage if every data set that reaches it is theirs, so nobody can add a data set to read another owner's rows.
        """
        plan = self.execution.plan
        if self.role != "owner":
            return self.role == "provider" or plan.output.lets_logs_out
        stages = (planned.index for planned in plan.stages) if stage is None else (stage,)
        return all(plan.data_sets_of(index) <= self.owned for index in stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions to list. ``before`` is the last one of the page before; ``reading`` is a data set's DID.

    With ``role`` only what the caller started (consumer), or what reads a data set that they own (owner).
    """

    agreement: str | None = None
    role: Literal["consumer", "owner"] | None = None
    live: bool | None = None
    reading: str | None = None
    before: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFinder:
    """Finds executions for callers. To see one you need a role in it, but no live agreement."""

    ports: GatewayPorts
    _owners: dict[str, tuple[str | None, datetime | None]] = field(init=False, default_factory=dict)

    async def see(
        self,
        caller: Caller,
        agreement: str,
        execution: str,
        roles: Collection[Role] = ("consumer", "owner", "provider"),
    ) -> Seen:
        """Return an execution for a caller who has one of these roles.

        Raises ``InvalidId``, ``AudienceMismatch``, ``ExecutionUnknown`` (also if the two ids do not belong together),
        ``NotConsumer``.
        """
        agreement_id, execution_id = read_agreement_id(agreement), read_execution_id(execution)
        caller.require(agreement_id, execution_id)
        found = await self._find(agreement_id, execution_id)
        role, owned = await self._role(caller.address, found)
        if role is None or role not in roles:
            raise InsituError("NotConsumer", f"{caller.address} may not see this of execution {execution_id}")
        return Seen(found, role, caller, owned)

    async def list(self, caller: Caller, wanted: ExecutionFilter) -> tuple[Seen, ...]:
        """Return the executions that a caller may see, newest first. Raises ``InvalidId``, ``AudienceMismatch``."""
        agreement_id = read_agreement_id(wanted.agreement) if wanted.agreement is not None else caller.agreement
        caller.require(agreement_id)
        before = read_execution_id(wanted.before) if wanted.before is not None else None
        last = await self.ports.agreements.execution(before) if before is not None else None
        if last is not None and (await self._role(caller.address, last))[0] is None:
            return ()  # the same as for an unknown one: a cursor must not tell when somebody else's execution began
        listed = partial(
            self.ports.agreements.executions,
            agreement_id=agreement_id,
            live=wanted.live,
            reading=wanted.reading,
            before=before,
            limit=wanted.limit,
        )
        mine = await self._mine(caller)
        chosen: _Mine = {"consumer": caller.address} if wanted.role == "consumer" else mine
        if wanted.role == "owner":
            chosen = {"input_dids": await self._data_sets_of(caller.address)}
        return tuple(_seen(execution, caller, mine) for execution in await listed(**chosen))

    async def events(self, caller: Caller, after: int | None) -> tuple[int, tuple[tuple[Seen, EventRecord], ...]]:
        """Return events of the executions that a caller may see, as ``Agreements.all_events`` does."""
        stored = self.ports.agreements
        newest, _ = await stored.all_events(None)
        if after is None or newest <= after:
            return newest, ()
        # Only what had happened before we asked whose data sets are read: later ones may be the first on new data.
        mine = await self._mine(caller)
        reached, events = await stored.all_events(after, until=newest, **mine)
        found = {event.execution_id: await stored.execution(event.execution_id) for event in events}
        seen = {
            key: _seen(execution, caller, mine)
            for key, execution in found.items()
            if execution is not None
            and caller.agreement in (None, execution.agreement_id)
            and caller.execution in (None, key)
        }
        return reached, tuple((seen[event.execution_id], event) for event in events if event.execution_id in seen)

    async def has_something(self, caller: Caller) -> bool:
        """Return whether an account is the provider, has bought something here, or owns a data set that was read."""
        bought = BoughtFilter(now=0, consumer=caller.address, limit=1)
        if caller.address.lower() == self.ports.provider.lower() or await self.ports.agreements.purchases(bought):
            return True
        return bool(await self._data_sets_of(caller.address))

    async def _mine(self, caller: Caller) -> _Mine:
        """Return which executions a caller may see: all for the provider, otherwise by the consumer and the owner."""
        if caller.address.lower() == self.ports.provider.lower():
            return {}
        return {"consumer": caller.address, "input_dids": await self._data_sets_of(caller.address)}

    async def _find(self, agreement_id: AgreementId, execution_id: ExecutionId) -> StoredExecution:
        found = await self.ports.agreements.execution(execution_id)
        if found is None or found.agreement_id != agreement_id:
            raise InsituError("ExecutionUnknown", f"agreement {agreement_id} has no execution {execution_id}")
        return found

    async def _role(self, address: Address, execution: StoredExecution) -> tuple[Role | None, frozenset[str]]:
        """Return the role of an account, and for an owner the data sets that they own now."""
        if _consumes(address, execution):
            return "consumer", frozenset()
        if address.lower() == self.ports.provider.lower():
            return "provider", frozenset()
        owned = set()
        for did in {source.did for stage in execution.plan.stages for source in stage.inputs if source.did is not None}:
            record = await self.ports.chain.did_record(did)
            if record is not None and record.owner.lower() == address.lower():
                owned.add(did)
        return "owner" if owned else None, frozenset(owned)

    async def _data_sets_of(self, address: Address) -> tuple[str, ...]:
        """Return the data sets of an account. For lists it is enough to know who owned them a few seconds ago."""
        now, owned = self.ports.clock.now(), []
        for did in await self.ports.agreements.input_dids():
            owner, since = self._owners.get(did, (None, None))
            if since is None or now > since + OWNERS_KEPT:
                record = await self.ports.chain.did_record(did)
                owner = record.owner.lower() if record is not None else None
                self._owners[did] = (owner, now)
            if owner == address.lower():
                owned.append(did)
        return tuple(owned)


def _seen(execution: StoredExecution, caller: Caller, mine: _Mine) -> Seen:
    if not mine:
        return Seen(execution, "provider", caller)
    role: Role = "consumer" if _consumes(caller.address, execution) else "owner"
    return Seen(execution, role, caller, frozenset(mine["input_dids"]))


def _consumes(address: Address, execution: StoredExecution) -> bool:
    return execution.plan.consumer.lower() == address.lower()
