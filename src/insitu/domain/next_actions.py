"""The one decision of the engine: what to do next with an execution (E6, E7; design §6).

Pure: the record, what is observed, and the time go in, actions come out. The engine carries them out and asks again.
Nothing here depends on having seen an event, so a wake-up may be missed, doubled, or late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from insitu.domain.execution import (
    Execution,
    Observed,
    Phase,
    Reason,
    StageRecord,
    StepKey,
    StepKind,
    StepStatus,
    StopRequest,
    is_retriable,
)

__all__ = ["Action", "Conclude", "Ensure", "HandOver", "Kill", "Move", "Remove", "Rules", "Wait", "next_actions"]


@dataclass(frozen=True, slots=True)
class Rules:
    """The few settings that deadlines derive from; seconds, but for ``attempts``."""

    attempts: int = 2
    configure_seconds: int = 3600
    publish_seconds: int = 1800
    queue_seconds: int = 86400


@dataclass(frozen=True, slots=True)
class Ensure:
    """Start this step unless it runs or has ended; it is killed at ``deadline``."""

    key: StepKey
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """Store a transition. ``record`` is added to the stage records, ``published`` is stored."""

    phase: Phase
    stage: int
    attempt: int
    reason: Reason | None = None
    record: StageRecord | None = None
    published: StepStatus | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """End every running step now."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """Store the intended outcome. It becomes the final phase once the gateway has frozen it."""

    phase: Phase
    reason: Reason | None = None
    record: StageRecord | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the gateway the report of the stored outcome until it acknowledges; what it acknowledges is final."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete everything of the execution from the infrastructure."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due before ``until``, unless something changes."""

    until: datetime


Action = Ensure | Move | Kill | Conclude | HandOver | Remove | Wait

_STOPPED = {"consumer": "StoppedByConsumer", "owner": "StoppedByOwner", "provider": "StoppedByProvider"}


def next_actions(execution: Execution, observed: Observed, now: datetime, rules: Rules) -> tuple[Action, ...]:
    """Decide what is due; ``Wait`` or nothing at all means that the execution is settled for now.

    Parameters
    ----------
    execution
        The stored record.
    observed
        Steps of the runtime and the admission.
    now
        The present time; deadlines are compared with it and nothing else.
    rules
        Attempts and deadlines.
    """
    if execution.ended:
        return () if execution.cleaned else (Remove(),)
    if execution.outcome is not None:
        # A stop that comes after the outcome changes nothing any more: the gateway may have frozen it already.
        return (Kill(), HandOver())
    if execution.stop is not None:
        return _stop(execution.stop)
    if execution.phase is Phase.REGISTERED:
        return _queue(execution, observed, now, rules)
    if execution.phase is Phase.CONFIGURING:
        return _configure(execution, observed, now, rules)
    if execution.phase is Phase.EXECUTING:
        return _compute(execution, observed, now, rules)
    if execution.phase is Phase.REVIEWING:
        return (Move(Phase.PUBLISHING, execution.stage, 1),)
    return _publish(execution, observed, now, rules)


def _stop(stop: StopRequest) -> tuple[Action, ...]:
    return _fail(Reason(code=_STOPPED[stop.by], message=f"stopped by the {stop.by}"), Phase.STOPPED)


def _fail(reason: Reason, phase: Phase = Phase.FAILED, record: StageRecord | None = None) -> tuple[Action, ...]:
    return (Kill(), Conclude(phase, reason, record))


def _queue(execution: Execution, observed: Observed, now: datetime, rules: Rules) -> tuple[Action, ...]:
    deadline = min(execution.since + timedelta(seconds=rules.queue_seconds), execution.plan.start_before)
    if now >= deadline:
        return _fail(Reason(code="QueueTimeout", message="no capacity became free before the deadline"))
    if not observed.admitted:
        return (Wait(deadline),)
    return (Move(Phase.CONFIGURING, execution.plan.stages[0].index, 1),)


def _configure(execution: Execution, observed: Observed, now: datetime, rules: Rules) -> tuple[Action, ...]:
    deadline = _within(execution, execution.since + timedelta(seconds=rules.configure_seconds))
    key = StepKey(StepKind.CONFIGURE, execution.stage, execution.attempt)
    status = observed.steps.get(key)
    if status is not None and status.ok:
        return (Move(Phase.EXECUTING, execution.stage, execution.attempt),)
    if status is not None and status.reason is not None:
        return _retry(execution, status.reason, rules)
    if now >= deadline:
        return _fail(Reason(code="ConfigurationFailed", message="the inputs were not ready in time"))
    return (Ensure(key, deadline), Wait(deadline))


def _compute(execution: Execution, observed: Observed, now: datetime, rules: Rules) -> tuple[Action, ...]:
    deadline = compute_deadline(execution)
    key = StepKey(StepKind.COMPUTE, execution.stage, execution.attempt)
    status = observed.steps.get(key)
    if status is not None and status.state == "ended":
        return _computed(execution, observed, status, rules)
    if now >= deadline:
        return _fail(Reason(code="TimeLimitExceeded", message="the server's maxExecutionTime is used up"))
    return (Ensure(key, deadline), Wait(deadline))


def _computed(execution: Execution, observed: Observed, status: StepStatus, rules: Rules) -> tuple[Action, ...]:
    record = _record(execution, observed, status)
    if status.reason is not None and is_retriable(status.reason):
        return _retry(execution, status.reason, rules, record)
    if status.reason is not None:
        return _fail(status.reason, record=record)
    following = [stage.index for stage in execution.plan.stages if stage.index > execution.stage]
    if following:
        return (Move(Phase.CONFIGURING, following[0], 1, record=record),)
    return (Move(Phase.REVIEWING, execution.stage, execution.attempt, record=record),)


def _publish(execution: Execution, observed: Observed, now: datetime, rules: Rules) -> tuple[Action, ...]:
    if execution.published is not None:
        return (Conclude(Phase.SUCCEEDED),)
    deadline = _within(execution, execution.since + timedelta(seconds=rules.publish_seconds))
    key = StepKey(StepKind.PUBLISH, execution.stage, execution.attempt)
    status = observed.steps.get(key)
    if status is not None and status.ok:
        return (Move(Phase.PUBLISHING, execution.stage, execution.attempt, published=status),)
    if status is not None and status.reason is not None:
        if is_retriable(status.reason) and execution.attempt < rules.attempts:
            return (Move(Phase.PUBLISHING, execution.stage, execution.attempt + 1, status.reason),)
        return _fail(status.reason)
    if now >= deadline:
        return _fail(Reason(code="PublishingFailed", message="the result was not handed over in time"))
    return (Ensure(key, deadline), Wait(deadline))


def _retry(execution: Execution, reason: Reason, rules: Rules, record: StageRecord | None = None) -> tuple[Action, ...]:
    if not is_retriable(reason):
        return _fail(reason, record=record)
    if execution.attempt < rules.attempts:
        return (Kill(), Move(Phase.CONFIGURING, execution.stage, execution.attempt + 1, reason, record))
    return _fail(reason, record=record)


def _record(execution: Execution, observed: Observed, status: StepStatus) -> StageRecord:
    configured = observed.steps.get(StepKey(StepKind.CONFIGURE, execution.stage, execution.attempt))
    return StageRecord(
        stage=execution.stage,
        attempt=execution.attempt,
        configured=configured.result if configured is not None else {},
        started_at=status.started_at,
        ended_at=status.ended_at,
        exit_code=status.exit_code,
        usage=status.usage,
        reason=status.reason,
    )


def compute_deadline(execution: Execution) -> datetime:
    """Return when the algorithm of the present stage is killed.

    ``maxExecutionTime`` covers the sum of the stages and attempts, so the time already spent in ``Executing`` counts;
    and publishing must end in time to settle.
    """
    spent = timedelta()
    for transition, following in zip(execution.history, execution.history[1:], strict=False):
        if transition.phase is Phase.EXECUTING:
            spent += following.at - transition.at
    allowed = timedelta(seconds=execution.plan.limits.max_execution_seconds) - spent
    return _within(execution, execution.since + max(allowed, timedelta()))


def _within(execution: Execution, deadline: datetime) -> datetime:
    return min(deadline, execution.plan.finish_by)
