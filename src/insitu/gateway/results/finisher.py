"""Finishing, exactly once: before any side effect one transaction freezes outcome, document, receipt and what to do.

What is stored first wins over later reports (E8–E10, design §6).
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from insitu.domain.dsse import Envelope
from insitu.domain.errors import InsituError
from insitu.domain.execution import ENDED, NOTHING_DELIVERED, Charge, Phase, Reason, Transition, charge_of
from insitu.domain.ids import AgreementId
from insitu.domain.receipt import ChargePart, parse_statement
from insitu.gateway.agreements.agreement_follower import ended
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.results.asset_maker import ResultAssets
from insitu.gateway.results.receipt_maker import Receipts
from insitu.gateway.results.settler import Due, Settling, charge_now
from insitu.gateway.wakeups import OUTBOX, Wakeups, events_of
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
from insitu.ports.agreements import Agreements
from insitu.ports.clock import Clock
from insitu.ports.peers import ExecutionReport

__all__ = ["Finishing"]

logger = logging.getLogger(__name__)


class Finishing:
    """Turns a report into the one outcome of an execution."""

    def __init__(
        self,
        configuration: GatewayConfiguration,
        agreements: Agreements,
        assets: ResultAssets,
        receipts: Receipts,
        settling: Settling,
        clock: Clock,
        wakeups: Wakeups,
    ) -> None:
        self._configuration = configuration
        self._agreements = agreements
        self._assets = assets
        self._receipts = receipts
        self._settling = settling
        self._clock = clock
        self._wakeups = wakeups

    async def finish(self, execution: StoredExecution, report: ExecutionReport) -> Transition:
        """Freeze the reported outcome and return the frozen one.

        Raises ``InvalidRequest`` for a report of another plan or without an outcome, ``StorageFailed``.
        """
        if execution.frozen is not None:
            return execution.frozen.outcome
        if report.plan.workflow_execution_id != execution.execution_id or report.outcome.phase not in ENDED:
            raise InsituError("InvalidRequest", f"the report is not one of an end of {execution.execution_id}")
        known = await self._agreement(execution.agreement_id)
        outcome, result = await self._outcome(execution, known, report)
        history = [one for one in report.history if one.sequence < outcome.sequence]
        return await self._freeze(execution, known, outcome, history, result, report)

    async def end(self, execution: StoredExecution, phase: Phase, reason: Reason) -> Transition:
        """Freeze an end that the gateway itself knows of, because the operator refused or fell silent."""
        if execution.frozen is not None:
            return execution.frozen.outcome
        known = await self._agreement(execution.agreement_id)
        sequence = max((one.sequence for one in execution.history), default=0) + 1
        outcome = Transition(sequence=sequence, phase=phase, at=self._clock.now(), reason=reason)
        return await self._freeze(execution, known, outcome, execution.history, None, None)

    def publish_by(self, execution: StoredExecution) -> datetime:
        """Return until when the catalogue must have the result of an execution that has one."""
        assert execution.frozen is not None
        begun = [one.at for one in execution.history if one.phase is Phase.PUBLISHING] or [execution.frozen.outcome.at]
        within = begun[0] + timedelta(seconds=self._configuration.publish_deadline)
        return min(within, execution.plan.finish_by)

    async def unpublish(self, execution: StoredExecution, why: Reason) -> bool:
        """End an execution whose result cannot be published: as failed, and for nothing.

        Its receipt gives way to one that says so; with the same number only one of them can be committed. False where
        the result is registered, or on its way there.
        """
        frozen = execution.frozen
        assert frozen is not None
        software = parse_statement(Envelope.model_validate(frozen.envelope).payload_bytes()).predicate.software
        reason = Reason(code="PublishingFailed", message=f"{why.code}: {why.message}")
        report = ExecutionReport(
            plan=execution.plan,
            history=execution.history,
            records=frozen.records,
            outcome=_failed(frozen.outcome, reason),
            runtime=software.runtime,
            enforcement=software.enforcement,
        )
        known = await self._agreement(execution.agreement_id)
        stored = await self._freeze(
            execution, known, report.outcome, report.history, None, report, instead_of=frozen.receipt_hash
        )
        return stored == report.outcome

    async def _agreement(self, agreement_id: AgreementId) -> KnownAgreement:
        known = await self._agreements.agreement(agreement_id)
        if known is None:
            raise InsituError("AgreementUnknown", f"this gateway has no agreement {agreement_id}")
        return known

    async def _outcome(
        self, execution: StoredExecution, known: KnownAgreement, report: ExecutionReport
    ) -> tuple[Transition, FrozenResult | None]:
        """Decide how it ended; without a result there is no success, and a lost agreement publishes nothing."""
        if known.standing is Standing.LOST:
            message = "the chain no longer knows the payment of the agreement"
            return _failed(report.outcome, Reason(code="AgreementLost", message=message)), None
        if report.outcome.phase is not Phase.SUCCEEDED:
            return report.outcome, None
        try:
            result = await self._assets.make(execution, dict(report.published or {}))
            return _judged(report.outcome, delivered=bool(result.files) or report.released > 0), result
        except InsituError as error:
            if error.code not in ("PublishingFailed", "OutputRejected"):
                raise
            return _failed(report.outcome, Reason(code=error.code, message=error.detail)), None

    async def _freeze(
        self,
        execution: StoredExecution,
        known: KnownAgreement,
        outcome: Transition,
        history: Iterable[Transition],
        result: FrozenResult | None,
        report: ExecutionReport | None,
        *,
        instead_of: str | None = None,
    ) -> Transition:
        records = report.records if report is not None else ()
        total = known.terms.total
        rule = charge_of(outcome.phase, outcome.reason, delivered=report is not None and report.released > 0)
        # What succeeded for nothing did so because another one was charged, or because the price is nothing.
        others = await self._agreements.executions(agreement_id=known.agreement_id, charging=True)
        paid = any(_paid(one) for one in others)
        charge = charge_now(rule, total, paid=paid)
        past = tuple(history)
        receipt_hash, envelope = self._receipts.make(
            execution,
            known.terms,
            outcome,
            history=past,
            records=records,
            result=result,
            charge=ChargePart(rule=rule, amount=total if charge is None else charge),
            runtime=report.runtime if report is not None else "",
            enforcement=report.enforcement if report is not None else {},
        )
        frozen = Frozen(
            outcome=outcome,
            records=records,
            rule=rule,
            receipt_hash=receipt_hash,
            envelope=envelope,
            result=result,
            expires_at=self._clock.now() + timedelta(seconds=self._configuration.result_retention),
        )
        changes: list[Change] = [AddTransition(execution.execution_id, one) for one in past if one.phase not in ENDED]
        changes += self._follow_ups(execution, known, frozen, charge)
        if rule is Charge.FULL:
            changes += self._close_open(known, [one for one in others if _is_open(one)])
        stored, first = await self._agreements.freeze(execution.execution_id, frozen, changes, instead_of=instead_of)
        if first:
            logger.info("execution %s ended: %s %s", execution.execution_id, outcome.phase, outcome.reason or "")
        self._wakeups.ring(OUTBOX)
        self._wakeups.ring(events_of(execution.execution_id))
        assert stored.frozen is not None
        return stored.frozen.outcome

    def _follow_ups(
        self, execution: StoredExecution, known: KnownAgreement, frozen: Frozen, charge: int | None
    ) -> list[Change]:
        """What is to be done in the outside world, in order: publish, register, settle, state the provenance."""
        changes: list[Change] = []
        after: str | None = None
        if frozen.result is None:
            changes += [AddTransition(execution.execution_id, frozen.outcome), ended(execution, self._clock)]
        else:
            publish = self._item(ItemKind.PUBLISH, execution)
            register = self._item(ItemKind.REGISTER, execution, after=publish.key)
            changes += [Enqueue(publish), Enqueue(register)]
            after = register.key
        if charge is not None:
            due = Due(execution.plan.number, charge, frozen.receipt_hash)
            changes += self._settle(known, execution, due, after)
        if frozen.result is not None:
            changes += [Enqueue(item) for item in self._provenance(execution, after)]
        return changes

    def _settle(
        self, known: KnownAgreement, execution: StoredExecution, due: Due, after: str | None = None
    ) -> Iterable[Change]:
        delay = timedelta(seconds=self._configuration.commit_delay if due.charge == 0 else 0)
        moment = self._clock.now() + delay
        return self._settling.decide(known.agreement_id, known.terms, execution.execution_id, due, moment, after)

    def _close_open(self, known: KnownAgreement, waiting: list[StoredExecution]) -> list[Change]:
        """After a success earlier failures cost nothing; their receipts are committed."""
        changes: list[Change] = []
        for one in waiting:
            assert one.frozen is not None
            changes += self._settle(known, one, Due(one.plan.number, 0, one.frozen.receipt_hash))
        return changes

    def _provenance(self, execution: StoredExecution, after: str | None) -> Iterable[OutboxItem]:
        inputs = dict.fromkeys(one.did for stage in execution.plan.stages for one in stage.inputs if one.did)
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
            not_before=self._clock.now(),
            payload=dict(payload or {}),
            after=after,
        )


def _failed(outcome: Transition, reason: Reason) -> Transition:
    return outcome.model_copy(update={"phase": Phase.FAILED, "reason": reason})


def _judged(success: Transition, *, delivered: bool) -> Transition:
    """Say of a success that it delivered nothing; what could be read of its logs is final by now."""
    if delivered:
        return success
    message = "neither a file nor log text was delivered, so this execution costs nothing"
    return success.model_copy(update={"reason": Reason(code=NOTHING_DELIVERED, message=message)})


def _paid(execution: StoredExecution) -> bool:
    """Whether this one has settled the question: it was charged, or it succeeded and delivered something.

    A success that delivered nothing does not: else it would make the failures before it free.
    """
    succeeded = execution.frozen is not None and execution.frozen.rule is Charge.FULL
    return succeeded or bool(execution.charge)


def _is_open(execution: StoredExecution) -> bool:
    return execution.frozen is not None and execution.charge is None
