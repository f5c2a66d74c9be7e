"""What an outbox item means: its call, and what follows once it is done or given up (E9, E10)."""

from dataclasses import dataclass

from insitu.domain.agreement import Settlement
from insitu.domain.canonical import keccak256
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason
from insitu.domain.ids import ExecutionId
from insitu.domain.ledger import (
    Call,
    grant,
    refuse,
    register_attribute_for,
    settle,
    settle_batch,
    used,
    was_associated_with,
    was_derived_from,
)
from insitu.domain.purchase import SignedPurchase
from insitu.domain.signed_request import SignedRequest
from insitu.gateway.agreements.agreement_follower import end_event, settlement_changes
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_changes import (
    AddEvent,
    AddTransition,
    Change,
    Complete,
    GiveUp,
    Judge,
    NoteRegistered,
    Release,
    Touch,
)
from insitu.ports.agreement_records import FrozenResult, ItemKind, KnownAgreement, OutboxItem, Standing, StoredExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInterpreter:
    """Knows the call of each kind of item, and the changes that follow."""

    ports: GatewayPorts

    async def call(self, item: OutboxItem) -> Call:
        """Return the call of an item. Raises ``InternalError`` if its agreement or execution is missing."""
        if item.kind is ItemKind.REQUEST:
            return signed_request_of(item).call
        agreement = await self.agreement(item)
        if item.kind is ItemKind.GRANT:
            return grant(agreement.terms)
        if item.kind is ItemKind.RELAY:
            purchase = SignedPurchase.model_validate(dict(item.payload) | {"terms": agreement.terms})
            return purchase.call(self.ports.chain.agreements)
        if item.kind is ItemKind.REFUSE:
            return refuse(agreement.terms)
        if item.kind in (ItemKind.SETTLE, ItemKind.CLOSE):
            return settle(agreement.terms, Settlement.model_validate(dict(item.payload)))
        execution = await self.execution(item)
        if item.kind is ItemKind.REGISTER:
            return self._register(execution)
        return self._provenance(item, execution)

    async def batch(self, items: list[OutboxItem]) -> Call:
        """Return one call for several settlements."""
        entries: dict[str, tuple[KnownAgreement, list[Settlement]]] = {}
        for item in items:
            agreement = await self.agreement(item)
            _, settlements = entries.setdefault(item.agreement_id, (agreement, []))
            settlements.append(Settlement.model_validate(dict(item.payload)))
        return settle_batch([(agreement.terms, settlements) for agreement, settlements in entries.values()])

    async def done(self, item: OutboxItem, transaction: str) -> list[Change]:
        """Return the changes after an item is done. Applying them twice is harmless."""
        changes: list[Change] = [Complete(item.key)]
        if item.kind in (ItemKind.GRANT, ItemKind.RELAY):
            return [
                *changes,
                Judge(item.agreement_id, Standing.GRANTED, self.ports.clock.now()),
                Touch(item.agreement_id, 0),
            ]
        if item.kind is ItemKind.REFUSE:
            known = await self.agreement(item)
            return [*changes, Judge(item.agreement_id, Standing.REFUSED, self.ports.clock.now(), known.reason)]
        if item.kind is ItemKind.REGISTER:
            return [*changes, *self._registration_changes(await self.execution(item), transaction)]
        if item.kind is ItemKind.SETTLE:
            return [*changes, *settlement_changes(await self.execution(item), transaction, self.ports.clock)]
        if item.kind is ItemKind.CLOSE:
            return [*changes, Touch(item.agreement_id, 0)]
        return changes

    async def given_up(self, item: OutboxItem, reason: Reason) -> list[Change]:
        """Return the changes after an item is given up."""
        changes: list[Change] = [GiveUp(item.key, reason)]
        if item.kind is ItemKind.RELAY:
            # If anyone sends the purchase now, it is judged like any other.
            judged = Judge(item.agreement_id, Standing.CREATED, self.ports.clock.now(), reason)
            changes += [judged, Release(item.agreement_id), Touch(item.agreement_id, 0)]
        if item.kind is ItemKind.REQUEST:
            changes.append(Release(item.agreement_id))
        if item.execution_id is not None and item.kind is not ItemKind.DERIVED:
            data = {"what": item.kind.value, "code": reason.code, "message": reason.message}
            now = self.ports.clock.now()
            changes.append(AddEvent(item.execution_id, "alarm", now, data, once=f"alarm:{item.key}"))
            changes.append(end_event(await self.execution(item), self.ports.clock))
        return changes

    async def agreement(self, item: OutboxItem) -> KnownAgreement:
        """Return the item's agreement."""
        known = await self.ports.agreements.agreement(item.agreement_id)
        if known is None:
            raise InsituError("InternalError", f"{item.key} belongs to no known agreement")
        return known

    async def execution(self, item: OutboxItem) -> StoredExecution:
        """Return the item's execution."""
        found = await self.ports.agreements.execution(ExecutionId(item.execution_id or ""))
        if found is None:
            raise InsituError("InternalError", f"{item.key} belongs to no known execution")
        return found

    def _register(self, execution: StoredExecution) -> Call:
        result = result_of(execution)
        providers, owner = [self.ports.provider], execution.plan.consumer
        seed, checksum = bytes.fromhex(result.seed), bytes.fromhex(result.checksum)
        return register_attribute_for(seed, checksum, providers, result.url, owner)

    def _registration_changes(self, execution: StoredExecution, transaction: str) -> list[Change]:
        """Return the changes once the consumer owns the new asset: now the execution has succeeded (E9)."""
        assert execution.frozen is not None
        data = {"did": result_of(execution).did, "owner": execution.plan.consumer, "transaction": transaction}
        changes: list[Change] = [
            NoteRegistered(execution.execution_id, transaction),
            AddEvent(execution.execution_id, "result", self.ports.clock.now(), data, once="result"),
            AddTransition(execution.execution_id, execution.frozen.outcome),
        ]
        return changes if execution.charge else [*changes, end_event(execution, self.ports.clock)]

    def _provenance(self, item: OutboxItem, execution: StoredExecution) -> Call:
        """Return the call of a statement of provenance (W3C PROV): an execution is an activity, a consumer an agent."""
        agent, result = execution.plan.consumer, bytes(Did.parse(result_of(execution).did))
        activity = keccak256(execution.execution_id.encode())
        statement = keccak256(item.key.encode())
        attributes = execution.execution_id
        if item.payload["statement"] == "associated":
            return was_associated_with(statement, result, agent, activity, attributes)
        source = bytes(Did.parse(str(item.payload["did"])))
        if item.payload["statement"] == "used":
            return used(statement, source, agent, activity, attributes)
        return was_derived_from(statement, result, source, agent, activity, attributes)


def signed_request_of(item: OutboxItem) -> SignedRequest:
    """Return the request to the registry that an item carries."""
    return SignedRequest.model_validate(dict(item.payload))


def result_of(execution: StoredExecution) -> FrozenResult:
    """Return the result of an execution that has one. Raises ``InternalError`` for any other."""
    if execution.frozen is None or execution.frozen.result is None:
        raise InsituError("InternalError", f"{execution.execution_id} has no result")
    return execution.frozen.result
