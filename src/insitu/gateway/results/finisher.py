"""Ends executions exactly once (E8–E10).

Before any side effect, one transaction freezes the outcome, the document, the receipt and what is left to do. The first
report that is stored wins over later ones.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from insitu.domain.dsse import Envelope
from insitu.domain.errors import InsituError
from insitu.domain.execution import ENDED, NOTHING_DELIVERED, Charge, Phase, Reason, Transition
from insitu.domain.ids import AgreementId
from insitu.domain.receipt import Predicate, parse_statement
from insitu.domain.receipt_parts import ChargePart
from insitu.gateway.agreements.agreement_follower import end_event
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.asset_maker import AssetMaker
from insitu.gateway.results.conclusion import Conclusion, out_of_time
from insitu.gateway.results.receipt_maker import ReceiptMaker
from insitu.gateway.results.settler import Due, Settler, charge_now, charges_at_end
from insitu.gateway.wakeups import OUTBOX, events_of
from insitu.ports.agreement_changes import AddTransition, Change, Enqueue
from insitu.ports.agreement_records import (
    Frozen,
    FrozenResult,
    ItemKind,
    KnownAgreement,
    OutboxItem,
    Standing,
    StoredExecution,
)
from insitu.ports.agreements import EVERY
from insitu.ports.peers import ExecutionReport

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """Turns a report into the one outcome of an execution."""

    ports: GatewayPorts
    asset_maker: AssetMaker
    receipt_maker: ReceiptMaker
    settler: Settler

    async def finish(self, execution: StoredExecution, report: ExecutionReport) -> Transition:
        """Freeze the reported outcome and return the frozen one.

        Raises ``InvalidRequest`` for a report about another plan or without an outcome, ``StorageFailed``.
        """
        if execution.frozen is not None:
            return execution.frozen.outcome
        if report.plan.workflow_execution_id != execution.execution_id or report.outcome.phase not in ENDED:
            raise InsituError("InvalidRequest", f"the report does not end execution {execution.execution_id}")
        known = await self._agreement(execution.agreement_id)
        outcome, result = await self._outcome(execution, known, report)
        conclusion = Conclusion(
            outcome=outcome,
            history=tuple(transition for transition in report.history if transition.sequence < outcome.sequence),
            records=report.records,
            result=result,
            released=report.released,
            lines=report.released_lines,
            runtime=report.runtime,
            enforcement=report.enforcement,
        )
        return await self._freeze(execution, known, conclusion)

    async def end(self, execution: StoredExecution, phase: Phase, reason: Reason) -> Transition:
        """Freeze an end that the gateway decides itself, because the operator refused or stopped answering."""
        if execution.frozen is not None:
            return execution.frozen.outcome
        known = await self._agreement(execution.agreement_id)
        sequence = max((transition.sequence for transition in execution.history), default=0) + 1
        outcome = Transition(sequence=sequence, phase=phase, at=self.ports.clock.now(), reason=reason)
        return await self._freeze(execution, known, Conclusion(outcome=outcome, history=execution.history))

    def publish_by(self, execution: StoredExecution) -> datetime:
        """Return when the catalogue must have the result of an execution that has one."""
        assert execution.frozen is not None
        publishing = (entry.at for entry in execution.history if entry.phase is Phase.PUBLISHING)
        begun = next(publishing, execution.frozen.outcome.at)
        within = begun + timedelta(seconds=self.ports.configuration.publish_deadline)
        return min(within, execution.plan.finish_by)

    async def unpublish(self, execution: StoredExecution, why: Reason) -> bool:
        """End an execution whose result cannot be published as failed and free of charge.

        A new receipt that says so replaces its receipt; only one of a number can be committed. Return False if the
        result is registered or being registered.
        """
        frozen = execution.frozen
        assert frozen is not None
        stated = parse_statement(Envelope.model_validate(frozen.envelope).payload_bytes()).predicate
        delivered = stated.delivered if isinstance(stated, Predicate) else None
        reason = Reason(code="PublishingFailed", message=f"{why.code}: {why.message}")
        conclusion = Conclusion(
            outcome=_as_failed(frozen.outcome, reason),
            history=execution.history,
            records=frozen.records,
            released=delivered.log_bytes if delivered is not None else 0,
            lines=delivered.log_lines if delivered is not None else None,
            runtime=stated.software.runtime,
            enforcement=stated.software.enforcement,
        )
        known = await self._agreement(execution.agreement_id)
        stored = await self._freeze(execution, known, conclusion, instead_of=frozen.receipt_hash)
        return stored == conclusion.outcome

    async def _agreement(self, agreement_id: AgreementId) -> KnownAgreement:
        known = await self.ports.agreements.agreement(agreement_id)
        if known is None:
            raise InsituError("AgreementUnknown", f"this gateway has no agreement {agreement_id}")
        return known

    async def _outcome(
        self, execution: StoredExecution, known: KnownAgreement, report: ExecutionReport
    ) -> tuple[Transition, FrozenResult | None]:
        """Decide how it ended. Without a result there is no success, and a lost agreement publishes nothing."""
        if known.standing is Standing.LOST:
            message = "the chain no longer knows the payment of the agreement"
            return _as_failed(report.outcome, Reason(code="AgreementLost", message=message)), None
        if report.outcome.phase is not Phase.SUCCEEDED:
            return out_of_time(report, execution.plan.finish_by), None
        try:
            result = await self.asset_maker.make(execution, dict(report.published or {}))
            return _mark_empty(report.outcome, delivered=bool(result.files) or report.released > 0), result
        except InsituError as error:
            if error.code not in ("PublishingFailed", "OutputRejected"):
                raise
            return _as_failed(report.outcome, Reason(code=error.code, message=error.detail)), None

    async def _freeze(
        self,
        execution: StoredExecution,
        known: KnownAgreement,
        conclusion: Conclusion,
        *,
        instead_of: str | None = None,
    ) -> Transition:
        others = await self.ports.agreements.executions(agreement_id=known.agreement_id, charging=True, limit=EVERY)
        frozen, charge = self._frozen(execution, known, conclusion, others)
        changes: list[Change] = [
            AddTransition(execution.execution_id, transition)
            for transition in conclusion.history
            if transition.phase not in ENDED
        ]
        if charge is None and 0 < known.start <= self.ports.clock.now().timestamp() - known.terms.timeout:
            # Nothing can start any more, and what is left of the time to settle may be short.
            waiting = [other for other in others if _is_open(other)]
            for due in charges_at_end([*waiting, replace(execution, frozen=frozen)], known.terms.total):
                if due.execution_id == execution.execution_id:
                    charge = due.settlement.charge
                else:
                    changes += self._settle(known, due)
        changes += self._follow_ups(execution, known, frozen, charge)
        if frozen.rule is Charge.FULL:
            changes += self._close_open(known, [other for other in others if _is_open(other)])
        stored, first = await self.ports.agreements.freeze(
            execution.execution_id, frozen, changes, instead_of=instead_of
        )
        if first:
            outcome = conclusion.outcome
            logger.info("execution %s ended: %s %s", execution.execution_id, outcome.phase, outcome.reason or "")
        self.ports.wakeups.ring(OUTBOX)
        self.ports.wakeups.ring(events_of(execution.execution_id))
        assert stored.frozen is not None
        return stored.frozen.outcome

    def _frozen(
        self,
        execution: StoredExecution,
        known: KnownAgreement,
        conclusion: Conclusion,
        others: Sequence[StoredExecution],
    ) -> tuple[Frozen, int | None]:
        """Return what is frozen, with its receipt, and the charge where it is known already."""
        rule, total = conclusion.rule(execution.plan.failures), known.terms.total
        # A success that costs nothing does so because another execution was charged, or because the price is zero.
        charge = charge_now(rule, total, paid=any(_paid(other) for other in others))
        part = ChargePart(rule=rule, amount=total if charge is None else charge)
        receipt_hash, envelope = self.receipt_maker.make(execution, known, conclusion, part)
        frozen = Frozen(
            outcome=conclusion.outcome,
            records=conclusion.records,
            rule=rule,
            delivered=conclusion.delivered,
            free_seconds=conclusion.free_seconds(execution.plan.finish_by),
            receipt_hash=receipt_hash,
            envelope=envelope,
            result=conclusion.result,
            expires_at=self.ports.clock.now() + timedelta(seconds=self.ports.configuration.result_retention),
        )
        return frozen, charge

    def _follow_ups(
        self, execution: StoredExecution, known: KnownAgreement, frozen: Frozen, charge: int | None
    ) -> list[Change]:
        """Return what to do outside, in order: publish, register, settle, state the provenance."""
        changes: list[Change] = []
        after: str | None = None
        if frozen.result is None:
            changes += [AddTransition(execution.execution_id, frozen.outcome), end_event(execution, self.ports.clock)]
        else:
            publish = self._item(ItemKind.PUBLISH, execution)
            register = self._item(ItemKind.REGISTER, execution, after=publish.key)
            changes += [Enqueue(publish), Enqueue(register)]
            after = register.key
        if charge is not None:
            changes += self._settle(known, Due.of(execution, frozen, charge), after)
        if frozen.result is not None:
            changes += [Enqueue(item) for item in self._provenance(execution, after)]
        return changes

    def _settle(self, known: KnownAgreement, due: Due, after: str | None = None) -> Iterable[Change]:
        delay = timedelta(seconds=self.ports.configuration.commit_delay if due.settlement.charge == 0 else 0)
        moment = self.ports.clock.now() + delay
        return self.settler.decide(known.agreement_id, known.terms, due, moment, after)

    def _close_open(self, known: KnownAgreement, waiting: list[StoredExecution]) -> list[Change]:
        """Commit the receipts of earlier failures, which cost nothing after a success."""
        changes: list[Change] = []
        for open_execution in waiting:
            assert open_execution.frozen is not None
            changes += self._settle(known, Due.of(open_execution, open_execution.frozen, 0))
        return changes

    def _provenance(self, execution: StoredExecution, after: str | None) -> Iterable[OutboxItem]:
        inputs = dict.fromkeys(source.did for stage in execution.plan.stages for source in stage.inputs if source.did)
        yield self._item(ItemKind.DERIVED, execution, "associated", after, {"statement": "associated"})
        for did in inputs:
            yield self._item(ItemKind.DERIVED, execution, f"used:{did}", after, {"statement": "used", "did": did})
            yield self._item(ItemKind.DERIVED, execution, f"derived:{did}", after, {"statement": "derived", "did": did})

    def _item(
        self,
        kind: ItemKind,
        execution: StoredExecution,
        suffix: str = "",
        after: str | None = None,
        payload: dict[str, str] | None = None,
    ) -> OutboxItem:
        return OutboxItem(
            key=f"{kind}:{execution.execution_id}" + (f":{suffix}" if suffix else ""),
            kind=kind,
            agreement_id=execution.agreement_id,
            execution_id=execution.execution_id,
            not_before=self.ports.clock.now(),
            payload=dict(payload or {}),
            after=after,
        )


def _as_failed(outcome: Transition, reason: Reason) -> Transition:
    return outcome.model_copy(update={"phase": Phase.FAILED, "reason": reason})


def _mark_empty(success: Transition, *, delivered: bool) -> Transition:
    """Mark a success that delivered nothing. By now it is final how much of its logs could be read."""
    if delivered:
        return success
    message = "neither a file nor log text was delivered, so this execution costs nothing"
    return success.model_copy(update={"reason": Reason(code=NOTHING_DELIVERED, message=message)})


def _paid(execution: StoredExecution) -> bool:
    """Return whether an execution was charged, or succeeded and delivered something.

    A success that delivered nothing does not count, or it would make the failures before it free.
    """
    succeeded = execution.frozen is not None and execution.frozen.rule is Charge.FULL
    return succeeded or bool(execution.charge)


def _is_open(execution: StoredExecution) -> bool:
    return execution.frozen is not None and execution.charge is None
