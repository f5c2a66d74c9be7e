"""When each phase of an execution must be over: derived from the plan, the history, and a few settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from insitu.domain.execution import Execution, Phase, is_retriable


@dataclass(frozen=True, slots=True)
class Rules:
    """The few settings that deadlines derive from, in seconds except for ``attempts``.

    Attributes
    ----------
    attempts
        How often a stage, and publishing, are started before the execution fails.
    queue_seconds, configure_seconds, publish_seconds
        For waiting, for preparing one stage, and for publishing, including all attempts.
    kill_seconds
        How long to wait for the end of something that was killed.
    hand_over_seconds
        How long after ``finish_by`` the report is still offered to the gateway.
    """

    attempts: int = 2
    configure_seconds: int = 3600
    publish_seconds: int = 1800
    queue_seconds: int = 86400
    kill_seconds: int = 30
    hand_over_seconds: int = 86400


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits a phase, in words, and the reason with which it ends then."""

    bound: str
    code: str


LIMITS: Mapping[Phase, Limit] = {
    Phase.REGISTERED: Limit(
        "`operator.queue_deadline` from the registration, and the end of the agreement's timeout", "QueueTimeout"
    ),
    Phase.CONFIGURING: Limit(
        "`operator.configure_deadline` for a stage, all of its attempts together", "ConfigurationFailed"
    ),
    Phase.EXECUTING: Limit("the server's `maxExecutionTime` for all stages and attempts together", "TimeLimitExceeded"),
    Phase.PUBLISHING: Limit("`operator.publish_deadline`, all attempts together", "PublishingFailed"),
}
"""The phases that wait for something. All except the queue also end in time to settle (``finish_by``)."""


def configure_deadline(execution: Execution, rules: Rules) -> datetime:
    """Return when the current stage must be ready. A later attempt gets the time that earlier ones left."""
    allowed = timedelta(seconds=rules.configure_seconds) - _spent(execution, Phase.CONFIGURING, execution.stage)
    return _within(execution, allowed)


def compute_deadline(execution: Execution) -> datetime:
    """Return when the algorithm of the current stage is killed.

    ``maxExecutionTime`` covers all stages and attempts together, so the time already spent in ``Executing`` counts.
    Publishing must also end in time to settle.
    """
    return _within(execution, _time_left(execution))


def publish_deadline(execution: Execution, rules: Rules) -> datetime:
    """Return when the result must be handed over, including all attempts."""
    allowed = timedelta(seconds=rules.publish_seconds) - _spent(execution, Phase.PUBLISHING)
    return _within(execution, allowed)


def was_cut_short(execution: Execution) -> bool:
    """Return whether the algorithm had less than ``maxExecutionTime`` for a reason that is not its own.

    An earlier attempt was lost with its time, or the agreement ends first. Then running out of time costs nothing.
    """
    following = pairwise(execution.history)
    lost = any(
        before.phase is Phase.EXECUTING and after.reason is not None and is_retriable(after.reason)
        for before, after in following
    )
    return lost or execution.plan.finish_by < execution.since + _time_left(execution)


def _time_left(execution: Execution) -> timedelta:
    limit = timedelta(seconds=execution.plan.limits.max_execution_seconds)
    return limit - _spent(execution, Phase.EXECUTING)


def _spent(execution: Execution, phase: Phase, stage: int | None = None) -> timedelta:
    """Return the time spent in earlier visits of the phase, for one stage if given."""
    spent = timedelta()
    for transition, following in pairwise(execution.history):
        if transition.phase is phase and stage in (None, transition.stage):
            # A clock that was set back must not add time.
            spent += max(following.at - transition.at, timedelta())
    return spent


def _within(execution: Execution, allowed: timedelta) -> datetime:
    return min(execution.since + max(allowed, timedelta()), execution.plan.finish_by)
