"""The one decision of the engine: what to do next with an execution (E6, E7).

It is pure: the record, what is observed, and the time go in, and actions come out. The engine carries them out and asks
again. Nothing here depends on having seen an event, so a wake-up may be missed, repeated, or late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

from insitu.domain.deadlines import Rules, compute_deadline, configure_deadline, publish_deadline, was_cut_short
from insitu.domain.execution import (
    Execution,
    Observed,
    Phase,
    Reason,
    StageRecord,
    StepKey,
    StepKind,
    StepStatus,
    is_retriable,
)


@dataclass(frozen=True, slots=True)
class Ensure:
    """Start this step unless it is running or has ended. The runtime kills it at ``deadline``."""

    key: StepKey
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """Store a transition. ``record`` is added to the stage records."""

    phase: Phase
    stage: int
    attempt: int
    reason: Reason | None = None
    record: StageRecord | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """End every running step now. If that fails, the actions that follow are still carried out."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """Store the intended outcome. It becomes the final phase once the gateway has frozen it."""

    phase: Phase
    reason: Reason | None = None
    record: StageRecord | None = None
    published: Mapping[str, JsonValue] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hand the report of the stored outcome to the gateway until it acknowledges. What it acknowledges is final.

    If the gateway doesn't answer, the actions that follow are still carried out, and this one is tried again later.
    """


@dataclass(frozen=True, slots=True)
class Abandon:
    """Store the final phase without the gateway, which has not answered until long after it could have settled."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete everything of the execution from the infrastructure."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due before ``until``, unless something changes."""

    until: datetime


Action = Ensure | Move | Kill | Conclude | HandOver | Abandon | Remove | Wait

_STOPPED = {"consumer": "StoppedByConsumer", "owner": "StoppedByOwner", "provider": "StoppedByProvider"}


def next_actions(execution: Execution, observed: Observed | None, now: datetime, rules: Rules) -> tuple[Action, ...]:
    """Decide what is due. ``Wait``, or nothing at all, means that there is nothing to do for now.

    Parameters
    ----------
    execution
        The stored record.
    observed
        The runtime's steps and the admission; None if the runtime does not answer. Then only deadlines count.
    now
        The current time, which deadlines are compared with.
    rules
        Attempts and deadlines.
    """
    case = _Case(execution, observed, now, rules)
    if execution.ended:
        return () if execution.cleaned else (Remove(),)
    if execution.outcome is not None:
        # A stop that comes after the outcome changes nothing: the gateway may have frozen the outcome already.
        return case.hand_over(execution.outcome.at)
    if execution.stop is not None:
        by = execution.stop.by
        reason = Reason(code=_STOPPED[by], message=f"stopped by the {by}")
        return case.end(reason, execution.stop.at, phase=Phase.STOPPED)
    if execution.phase is Phase.REGISTERED:
        return case.queue()
    if execution.phase is Phase.CONFIGURING:
        return case.configure()
    if execution.phase is Phase.EXECUTING:
        return case.compute()
    if execution.phase is Phase.REVIEWING:
        return (Move(Phase.PUBLISHING, execution.stage, 1),)
    return case.publish()


@dataclass(frozen=True, slots=True)
class _Case:
    """The arguments of :func:`next_actions`."""

    execution: Execution
    observed: Observed | None
    now: datetime
    rules: Rules

    def queue(self) -> tuple[Action, ...]:
        execution = self.execution
        deadline = min(execution.since + timedelta(seconds=self.rules.queue_seconds), execution.plan.start_before)
        if self.now >= deadline:
            return self.fail(Reason(code="QueueTimeout", message="no capacity became free before the deadline"))
        if self.observed is None or not self.observed.admitted:
            return (Wait(deadline),)
        return (Move(Phase.CONFIGURING, execution.plan.stages[0].index, 1),)

    def configure(self) -> tuple[Action, ...]:
        deadline = configure_deadline(self.execution, self.rules)
        key, status = self.step(StepKind.CONFIGURE)
        if status is not None and status.ok:
            return (Move(Phase.EXECUTING, key.stage, key.attempt),)
        overdue = Reason(code="ConfigurationFailed", message="the inputs were not ready in time")
        if status is not None and status.reason is not None:
            # Who serves an input slowly until the runtime ends the step must not pass for a failure of the machines.
            return self.fail(overdue) if self.now >= deadline else self.retry(status.reason)
        return self.ensure(key, status, deadline, overdue)

    def compute(self) -> tuple[Action, ...]:
        deadline = compute_deadline(self.execution)
        key, status = self.step(StepKind.COMPUTE)
        if status is not None and status.state == "ended":
            return self.after_compute(status)
        if status is None:
            if self.observed is not None and not self.is_configured():
                return self.retry(Reason(code="InfrastructureFailed", message="the prepared inputs are gone"))
            # It never ran, so it was not the algorithm that took the time.
            return self.ensure(key, status, deadline, Reason(code="Interrupted", message="no time was left to start"))
        return self.ensure(key, status, deadline, self.time_limit())

    def after_compute(self, status: StepStatus) -> tuple[Action, ...]:
        execution, reason = self.execution, status.reason
        if reason is not None and reason.code == "TimeLimitExceeded":
            reason = self.time_limit(reason.message)
            return self.fail(reason)
        if reason is not None:
            return self.retry(reason)
        record = self.record(None)
        following = [stage.index for stage in execution.plan.stages if stage.index > execution.stage]
        if following:
            return (Move(Phase.CONFIGURING, min(following), 1, record=record),)
        return (Move(Phase.REVIEWING, execution.stage, execution.attempt, record=record),)

    def publish(self) -> tuple[Action, ...]:
        execution = self.execution
        deadline = publish_deadline(execution, self.rules)
        key, status = self.step(StepKind.PUBLISH)
        if status is not None and status.ok:
            return (Conclude(Phase.SUCCEEDED, published=status.result),)
        if status is not None and status.reason is not None:
            if is_retriable(status.reason) and execution.attempt < self.rules.attempts:
                return (Move(Phase.PUBLISHING, execution.stage, execution.attempt + 1, status.reason),)
            return self.fail(status.reason)
        overdue = Reason(code="PublishingFailed", message="the result was not handed over in time")
        return self.ensure(key, status, deadline, overdue)

    def hand_over(self, concluded: datetime) -> tuple[Action, ...]:
        kill: tuple[Action, ...] = (Kill(),) if self.runs else ()
        remove: tuple[Action, ...] = () if self.execution.cleaned else (Remove(),)
        latest = max(self.execution.plan.finish_by, concluded) + timedelta(seconds=self.rules.hand_over_seconds)
        if self.now >= latest:
            reason = Reason(code="PublishingFailed", message="the gateway took no report of the execution in time")
            return (*kill, Abandon(reason))
        return (*kill, HandOver(), *remove)

    def step(self, kind: StepKind) -> tuple[StepKey, StepStatus | None]:
        key = StepKey(kind, self.execution.stage, self.execution.attempt)
        return key, None if self.observed is None else self.observed.steps.get(key)

    def is_configured(self) -> bool:
        status = self.step(StepKind.CONFIGURE)[1]
        return status is not None and status.ok

    @property
    def runs(self) -> bool:
        """True if something may be running, which includes that nobody knows."""
        if self.observed is None:
            return self.execution.phase is not Phase.REGISTERED
        return any(status.state == "running" for status in self.observed.steps.values())

    def ensure(
        self, key: StepKey, status: StepStatus | None, deadline: datetime, overdue: Reason
    ) -> tuple[Action, ...]:
        """Let the step run until its deadline, when the runtime ends it. A little later this fails the execution."""
        if self.now < deadline:
            known = self.observed is not None and status is None
            return (Ensure(key, deadline), Wait(deadline)) if known else (Wait(deadline),)
        if self.observed is None:
            overdue = Reason(code="InfrastructureFailed", message="the infrastructure did not answer")
        latest = deadline + timedelta(seconds=self.rules.kill_seconds)
        if self.runs and self.now < latest:
            return (Wait(latest),)
        return self.fail(overdue)

    def retry(self, reason: Reason) -> tuple[Action, ...]:
        execution = self.execution
        if is_retriable(reason) and execution.attempt < self.rules.attempts:
            following = execution.attempt + 1
            return (Move(Phase.CONFIGURING, execution.stage, following, reason, self.record(reason)),)
        return self.fail(reason)

    def end(self, reason: Reason, since: datetime, phase: Phase) -> tuple[Action, ...]:
        """Kill, and conclude once nothing is running, so that the use of resources is known."""
        latest = since + timedelta(seconds=self.rules.kill_seconds)
        if self.runs and self.now < latest:
            return (Kill(), Wait(latest))
        return self.fail(reason, phase)

    def fail(self, reason: Reason, phase: Phase = Phase.FAILED) -> tuple[Action, ...]:
        kill: tuple[Action, ...] = (Kill(),) if self.runs else ()
        return (*kill, Conclude(phase, reason, self.record(reason)))

    def time_limit(self, message: str = "the server's maxExecutionTime is used up") -> Reason:
        if was_cut_short(self.execution):
            return Reason(code="Interrupted", message="after an interruption too little time was left")
        return Reason(code="TimeLimitExceeded", message=message)

    def record(self, reason: Reason | None) -> StageRecord | None:
        """Return how the current attempt of the stage went; None outside a stage's work."""
        execution = self.execution
        if execution.phase not in (Phase.CONFIGURING, Phase.EXECUTING):
            return None
        configured = self.step(StepKind.CONFIGURE)[1]
        computed = self.step(StepKind.COMPUTE)[1] or StepStatus(state="ended")
        return StageRecord(
            stage=execution.stage,
            attempt=execution.attempt,
            configured=configured.result if configured is not None else {},
            started_at=computed.started_at,
            ended_at=computed.ended_at,
            exit_code=computed.exit_code,
            usage=computed.usage,
            reason=reason,
        )
