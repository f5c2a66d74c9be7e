"""Every change of an execution's record: a new value with the next version and a history without gaps.

The functions are pure. The store compares the version (:mod:`insitu.ports.executions`). A change that
:data:`TRANSITIONS` does not permit is a bug and raises ``ValueError``, and so does a change of an ended execution.
"""

from datetime import datetime
from typing import Any

from insitu.domain.execution import TRANSITIONS, Execution, Phase, Stopper, StopRequest, Transition
from insitu.domain.next_actions import Abandon, Conclude, Move
from insitu.domain.plan import ExecutionPlan


def registered(plan: ExecutionPlan, now: datetime) -> Execution:
    """Return the record with which an execution begins (E4)."""
    first = Transition(sequence=1, phase=Phase.REGISTERED, at=now)
    return Execution(plan=plan, stage=plan.stages[0].index, history=(first,))


def moved(execution: Execution, move: Move, now: datetime) -> Execution:
    """Return the record in its next phase."""
    _permit(execution, move.phase)
    transition = _transition(execution, move, now, move.stage, move.attempt)
    records = execution.records if move.record is None else (*execution.records, move.record)
    return _changed(
        execution,
        phase=move.phase,
        stage=move.stage,
        attempt=move.attempt,
        records=records,
        history=(*execution.history, transition),
    )


def concluded(execution: Execution, conclude: Conclude, now: datetime) -> Execution:
    """Return the record with its intended outcome. The phase stays until the gateway has frozen the outcome."""
    _permit(execution, conclude.phase)
    outcome = _transition(execution, conclude, now, execution.stage, execution.attempt)
    records = execution.records if conclude.record is None else (*execution.records, conclude.record)
    published = execution.published if conclude.published is None else dict(conclude.published)
    return _changed(execution, outcome=outcome, records=records, published=published)


def handed_over(execution: Execution, frozen: Transition) -> Execution:
    """Return the record in the final phase that the gateway has frozen, even if another one was intended."""
    last = frozen.model_copy(update={"sequence": _following(execution)})
    history = (*execution.history, last)
    return _changed(execution, phase=frozen.phase, history=history, reported=last.sequence)


def abandoned(execution: Execution, abandon: Abandon, now: datetime) -> Execution:
    """Return the record in a final phase that the gateway does not know about.

    A success that reached nobody becomes a failure; a failure stays as it is.
    """
    outcome = execution.outcome
    if outcome is None or outcome.phase is Phase.SUCCEEDED:
        outcome = Transition(sequence=0, phase=Phase.FAILED, at=now, reason=abandon.reason)
    last = outcome.model_copy(update={"sequence": _following(execution), "at": now})
    return _changed(execution, phase=last.phase, history=(*execution.history, last))


def cleaned(execution: Execution) -> Execution:
    """Return the record of an execution that has nothing left in the infrastructure (E7)."""
    return _changed(execution, cleaned=True)


def acknowledged(execution: Execution, sequence: int) -> Execution:
    """Return the record with the last transition that the gateway knows, to be stored with the next change."""
    return execution.model_copy(update={"reported": max(execution.reported, sequence)})


def stop_requested(execution: Execution, by: Stopper, now: datetime) -> Execution | None:
    """Return the record with a request to stop, or None if it was already stopped or concluded."""
    if execution.ended or execution.outcome is not None or execution.stop is not None:
        return None
    return _changed(execution, stop=StopRequest(by=by, at=now))


def _permit(execution: Execution, phase: Phase) -> None:
    if phase not in TRANSITIONS[execution.phase] or execution.outcome is not None:
        raise ValueError(f"{execution.execution_id} cannot go from {execution.phase} to {phase}")


def _transition(
    execution: Execution, to: Move | Conclude, now: datetime, stage: int | None, attempt: int | None
) -> Transition:
    sequence, reason = _following(execution), to.reason
    return Transition(sequence=sequence, phase=to.phase, at=now, stage=stage, attempt=attempt, reason=reason)


def _following(execution: Execution) -> int:
    return execution.history[-1].sequence + 1


def _changed(execution: Execution, **changes: Any) -> Execution:
    if execution.ended and set(changes) != {"cleaned"}:
        raise ValueError(f"{execution.execution_id} has ended")
    return execution.model_copy(update={**changes, "version": execution.version + 1})
