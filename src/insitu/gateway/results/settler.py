"""What an execution costs, and what that means for the agreement's earlier executions (E10).

The first success costs the full price. Once a success is paid, all other executions cost nothing. Failures at the
consumer's risk stay open: if the agreement ends without a success, the first of them is charged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from insitu.domain.agreement import Settlement, SignedSettlement, Terms, settlement_digest
from insitu.domain.execution import Charge
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_changes import Change, DecideCharge, Enqueue
from insitu.ports.agreement_records import Frozen, ItemKind, OutboxItem, StoredExecution


@dataclass(frozen=True, slots=True)
class Due:
    """A decided charge of an execution, as its settlement says it."""

    execution_id: ExecutionId
    settlement: Settlement

    @classmethod
    def of(cls, execution: StoredExecution, frozen: Frozen, charge: int) -> "Due":
        """Return what an execution that has ended costs, in base units."""
        number, receipt_hash = execution.plan.number, frozen.receipt_hash
        return cls(execution.execution_id, Settlement(index=number, charge=charge, receipt_hash=receipt_hash))


def charge_now(rule: Charge, total: int, *, paid: bool) -> int | None:
    """Return the charge of an execution that has just ended, or None if it stays open.

    Parameters
    ----------
    total
        The agreement's full price.
    paid
        True if an execution of the agreement was charged before, or has succeeded for nothing.
    """
    if rule is Charge.FULL:
        return 0 if paid else total
    if rule is Charge.IF_NONE_SUCCEEDS and not paid and total > 0:
        return None
    return 0


def charges_at_end(open_executions: Sequence[StoredExecution], total: int) -> tuple[Due, ...]:
    """Decide the open executions once none can start any more and none has succeeded: the first is charged."""
    ordered = sorted(open_executions, key=lambda execution: execution.plan.number)
    return tuple(
        Due.of(execution, execution.frozen, total if position == 0 else 0)
        for position, execution in enumerate(ordered)
        if execution.frozen is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Signs settlements and puts them into the outbox."""

    ports: GatewayPorts

    def decide(
        self,
        agreement_id: AgreementId,
        terms: Terms,
        due: Due,
        not_before: datetime,
        after: str | None = None,
    ) -> Iterable[Change]:
        """Return the changes that fix a charge and put its settlement into the outbox.

        A settlement that moves no money may share a transaction with others.
        """
        execution_id, settlement = due.execution_id, due.settlement
        signed = self.sign(agreement_id, terms, settlement)
        item = OutboxItem(
            key=f"settle:{execution_id}",
            kind=ItemKind.SETTLE,
            agreement_id=agreement_id,
            execution_id=execution_id,
            not_before=not_before,
            payload=settlement.model_dump(mode="json", by_alias=True),
            after=after,
            batch=settlement.charge == 0,
        )
        return (DecideCharge(execution_id, settlement.charge, signed), Enqueue(item))

    def sign(self, agreement_id: AgreementId, terms: Terms, settlement: Settlement) -> SignedSettlement:
        """Sign a settlement. One that is the last may be signed only for an agreement that is marked as closing."""
        digest = settlement_digest(agreement_id, settlement, self.ports.chain.agreements)
        signature = "0x" + self.ports.signer.sign_digest(digest).hex()
        return SignedSettlement(terms=terms, settlement=settlement, signature=signature)
