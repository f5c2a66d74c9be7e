"""What callers see of an execution. If logs may not leave, the consumer only sees codes and times."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from insitu.api import gateway_v1 as wire
from insitu.domain.amount import Amount
from insitu.domain.dsse import Envelope
from insitu.domain.errors import InsituError
from insitu.domain.execution import ENDED, NOTHING_DELIVERED, Execution, Phase, Reason, StageRecord, Transition
from insitu.domain.plan import StagePlan
from insitu.domain.receipt import Statement, parse_statement
from insitu.domain.receipt_opening import Opening
from insitu.gateway.executions.execution_finder import Seen
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.receipt_opener import opened_inputs, withheld_details
from insitu.ports.agreement_records import EventRecord, ItemKind, StoredExecution
from insitu.ports.peers import OperatorPeer

logger = logging.getLogger(__name__)

_WAITING = ENDED | {Phase.REGISTERED}
"""One that ends in the queue has never started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presenter:
    """Combines what the gateway stores with what the operator knows about a live execution."""

    ports: GatewayPorts
    operator: OperatorPeer

    async def execution(self, seen: Seen) -> wire.ExecutionView:
        """Return the view of an execution. If the operator does not answer, the current stage is missing."""
        execution = seen.execution
        live, position = await self._live(execution) if execution.live else (None, 0)
        history = _history(execution, live)
        phase = history[-1].phase if history and execution.live else execution.phase
        frozen = execution.frozen
        ended = frozen is not None and execution.phase in ENDED
        known = frozen.outcome.reason if frozen is not None and ended else _last_reason(history)
        reason = await self._waits_for(execution) or known
        records = frozen.records if frozen is not None else live.records if live is not None else ()
        result = frozen.result if frozen is not None else None
        return wire.ExecutionView(
            service_agreement_id=execution.agreement_id,
            workflow_execution_id=execution.execution_id,
            number=execution.plan.number,
            consumer=execution.plan.consumer,
            did=execution.plan.did,
            workflow_did=execution.plan.workflow_did,
            phase=phase,
            reason=_reason(reason, seen) if reason is not None else None,
            position=position,
            created_at=execution.created_at,
            history=tuple(_transition(transition, seen) for transition in history),
            stages=tuple(_stage(stage, records, history, seen) for stage in execution.plan.stages),
            result_did=result.did if result is not None else None,
            left_out=result.left_out if result is not None else 0,
            receipt_hash=frozen.receipt_hash if frozen is not None else None,
            charge=None if execution.charge is None else Amount.from_base_units(execution.charge),
            settled=execution.settlement_transaction is not None,
            settlement_transaction=execution.settlement_transaction or None,
            alarm=_reason(execution.given_up, seen) if execution.given_up is not None else None,
            role=seen.role,
            actions=_actions(seen, self.ports.clock.now()),
            names=execution.dossier.names,
            versions=execution.dossier.versions,
            started_at=next((entry.at for entry in history if entry.phase not in _WAITING), None),
            ended_at=next((entry.at for entry in history if entry.phase in ENDED), None),
        )

    async def executions(self, seen: Sequence[Seen], limit: int) -> wire.ExecutionList:
        """Return the views of several executions; as many as ``limit`` may not be all of them."""
        views = tuple([await self.execution(entry) for entry in seen])
        return wire.ExecutionList(
            executions=views, before=seen[-1].execution.execution_id if len(seen) == limit else None
        )

    async def _waits_for(self, execution: StoredExecution) -> Reason | None:
        """Return why the result of an execution is not there yet, if an attempt has failed."""
        if execution.frozen is None or execution.phase is not Phase.PUBLISHING:
            return None
        for kind in (ItemKind.PUBLISH, ItemKind.REGISTER):
            item = await self.ports.agreements.item(f"{kind}:{execution.execution_id}")
            if item is not None and item.reason is not None:
                return item.reason
        return None

    async def _live(self, execution: StoredExecution) -> tuple[Execution | None, int]:
        try:
            record = await self.operator.status(execution.agreement_id, execution.execution_id)
            position = 0
            if record.phase is Phase.REGISTERED:
                position = await self.operator.position(execution.agreement_id, execution.execution_id)
        except InsituError as error:
            logger.info("the operator does not answer about %s: %s", execution.execution_id, error)
            return None, 0
        return record, position


def _actions(seen: Seen, now: datetime) -> tuple[wire.Action, ...]:
    """Return what the caller may do now, by the rules of the addresses that do it."""
    execution, frozen = seen.execution, seen.execution.frozen
    kept = frozen is not None and frozen.result is not None and now < frozen.expires_at
    allowed: dict[wire.Action, bool] = {
        "stop": execution.live,
        "logs": any(seen.sees(stage.index) for stage in execution.plan.stages),
        "receipt": frozen is not None,
        "opening": frozen is not None and seen.role != "consumer",
        "result": kept and seen.role == "consumer",
    }
    return tuple(action for action, allows in allowed.items() if allows)


def receipt_view(execution: StoredExecution) -> wire.ReceiptView:
    """Return the receipt of an ended execution. Raises ``ExecutionNotEnded`` while there is none."""
    if execution.frozen is None:
        raise InsituError("ExecutionNotEnded", f"{execution.execution_id} is {execution.phase}: no receipt yet")
    return wire.ReceiptView(
        receipt_hash=execution.frozen.receipt_hash,
        envelope=execution.frozen.envelope,
        settlement=execution.settlement,
        settled=execution.settlement_transaction is not None,
        transaction=execution.settlement_transaction or None,
    )


def opening_view(seen: Seen) -> Opening:
    """Return what a caller may see behind the hashes of an ended execution's receipt.

    Raises ``ExecutionNotEnded``. Receipts of the first form have other salts and are not opened.
    """
    execution, frozen = seen.execution, seen.execution.frozen
    if frozen is None:
        raise InsituError("ExecutionNotEnded", f"{execution.execution_id} is {execution.phase}: no receipt yet")
    statement = parse_statement(Envelope.model_validate(frozen.envelope).payload_bytes())
    if not isinstance(statement, Statement):
        return Opening()
    every, inputs, withheld = seen.role == "provider", opened_inputs(execution, frozen.records), None
    if statement.predicate.withheld is not None and seen.sees():
        withheld = withheld_details(execution, frozen.records, frozen.outcome)
    return Opening(inputs=tuple(data for data in inputs if every or data.did in seen.owned), withheld=withheld)


def result_view(execution: StoredExecution, now: datetime) -> wire.ResultView:
    """Return the description of an execution's result.

    Raises ``ExecutionNotEnded``, ``NoResult``, ``ResultExpired``.
    """
    if execution.frozen is None or execution.frozen.result is None:
        code = "NoResult" if execution.phase in ENDED else "ExecutionNotEnded"
        raise InsituError(code, f"execution {execution.execution_id} has no result ({execution.phase})")
    if now >= execution.frozen.expires_at:
        raise InsituError("ResultExpired", f"the files were kept until {execution.frozen.expires_at:%Y-%m-%d}")
    result = execution.frozen.result
    return wire.ResultView(
        did=result.did,
        owner=execution.plan.consumer,
        files=tuple(
            wire.ResultFile(
                index=file.index,
                name=file.path,
                content_type=file.content_type,
                content_length=file.size,
                checksum=file.sha256,
            )
            for file in result.files
        ),
        registered=execution.registration is not None,
        transaction=execution.registration or None,
        expires_at=execution.frozen.expires_at,
    )


def event_view(event: EventRecord, seen: Seen) -> wire.EventView:
    """Return an event as the caller may see it."""
    data = dict(event.data)
    if event.type == "phase":
        shown = _transition(Transition.model_validate(data), seen)
        data = shown.model_dump(mode="json", by_alias=True)
    elif not seen.sees():
        data = {name: value for name, value in data.items() if name != "message"}
    return wire.EventView(
        sequence=event.sequence,
        type=event.type,
        at=event.at,
        data=data,
        number=event.number,
        service_agreement_id=seen.execution.agreement_id,
        workflow_execution_id=event.execution_id,
        role=seen.role,
    )


def _history(execution: StoredExecution, live: Execution | None) -> tuple[Transition, ...]:
    """Return the transitions for callers. Only the gateway decides the final one."""
    if live is None or not execution.live:
        return execution.history
    passed = {
        transition.sequence: transition
        for transition in (*execution.history, *live.history)
        if transition.phase not in ENDED
    }
    return tuple(passed[sequence] for sequence in sorted(passed))


def _last_reason(history: Sequence[Transition]) -> Reason | None:
    return history[-1].reason if history else None


def _transition(transition: Transition, seen: Seen) -> Transition:
    return (
        transition
        if transition.reason is None
        else transition.model_copy(update={"reason": _shown(transition.reason, seen)})
    )


def _reason(reason: Reason, seen: Seen) -> wire.ReasonView:
    return wire.ReasonView(code=reason.code, message=_shown(reason, seen).message, next_step=reason.next_step)


def _shown(reason: Reason, seen: Seen) -> Reason:
    """Return a reason as the caller may see it. That nothing was delivered is our own message and hides nothing."""
    return reason if seen.sees() or reason.code == NOTHING_DELIVERED else reason.hidden


def _stage(
    stage: StagePlan, records: Sequence[StageRecord], history: Sequence[Transition], seen: Seen
) -> wire.StageView:
    view = wire.StageView(
        index=stage.index, stage_type=stage.stage_type, image=f"{stage.image.image}:{stage.image.tag}"
    )
    entered = [transition for transition in history if transition.stage == stage.index]
    record = next((record for record in reversed(records) if record.stage == stage.index), None)
    if record is not None and (not entered or record.attempt == (entered[-1].attempt or record.attempt)):
        shown: Mapping[str, object] = {
            "attempt": record.attempt,
            "state": "ended" if record.reason is None else "failed",
            "started_at": record.started_at,
            "ended_at": record.ended_at,
        }
        if seen.sees(stage.index):
            shown = {**shown, "exit_code": record.exit_code, "usage": record.usage}
        return view.model_copy(update=dict(shown))
    if entered:
        return view.model_copy(
            update={"attempt": entered[-1].attempt or 0, "state": "running", "started_at": entered[-1].at}
        )
    return view


def problem_data(error: InsituError) -> dict[str, JsonValue]:
    """Return an error as the data of a stream's last event."""
    return {"code": error.code, "message": error.detail}
