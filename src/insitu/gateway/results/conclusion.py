"""How an execution ended, before it is frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from insitu.domain.execution import Charge, Phase, Reason, StageRecord, Transition, charge_of
from insitu.domain.plan import Failures
from insitu.domain.timestamps import format_time
from insitu.ports.agreement_records import FrozenResult
from insitu.ports.peers import ExecutionReport

_OURS = frozenset({"AgreementLost", "InfrastructureFailed", "Interrupted", "PublishingFailed", "StoppedByProvider"})
"""Ends by the infrastructure or the provider. An owner, or who serves an input, may be the consumer."""
_LOST = frozenset({"InfrastructureFailed", "Interrupted"})
_TOO_LATE = frozenset({"Interrupted", "PublishingFailed"})
"""What the end of the agreement's time is called. Who began late, or made inputs ready slowly, may have meant it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """An outcome and everything the receipt says about the way to it.

    An end that only the gateway knows of has a history, and no records.

    Attributes
    ----------
    history
        The transitions before the outcome.
    released, lines
        Bytes of captured text that the consumer has read or may read, and lines of it; None if they are not known.
    """

    outcome: Transition
    history: tuple[Transition, ...]
    records: tuple[StageRecord, ...] = ()
    result: FrozenResult | None = None
    released: int = 0
    lines: int | None = 0
    runtime: str = ""
    enforcement: Mapping[str, str] = field(default_factory=dict)

    @property
    def delivered(self) -> bool:
        """Whether anything of the algorithm reached the consumer: a file or log text."""
        return self.released > 0 or (self.result is not None and bool(self.result.files))

    def free_seconds(self, finish_by: datetime) -> int:
        """Return how long it prepared inputs and computed, without what the infrastructure or the provider ended."""
        steps = pairwise((*self.history, self.outcome))
        spent = (
            following.at - step.at
            for step, following in steps
            if step.phase in (Phase.CONFIGURING, Phase.EXECUTING) and not _is_ours(following, finish_by)
        )
        return 0 if _is_ours(self.outcome, finish_by) else max(0, ceil(sum(spent, timedelta()).total_seconds()))

    def rule(self, failures: Failures) -> Charge:
        """Return what it costs under what was agreed about failures."""
        return charge_of(self.outcome.phase, self.outcome.reason, delivered=self.released > 0, failures=failures)


def out_of_time(report: ExecutionReport, finish_by: datetime) -> Transition:
    """Return the reported outcome; ``TimeLimitExceeded`` if the agreement's end came after log text was delivered.

    Only the consumer could begin so late, or make the inputs ready so slowly, unless a machine took part of the time.
    """
    outcome, code = report.outcome, _code(report.outcome)
    lost = any(_code(step) in _LOST for step in report.history if step.sequence < outcome.sequence)
    if code not in _TOO_LATE or outcome.at < finish_by or lost or not report.released:
        return outcome
    message = f"the time of the agreement was over at {format_time(finish_by)}"
    return outcome.model_copy(update={"reason": Reason(code="TimeLimitExceeded", message=message)})


def _code(end: Transition) -> str | None:
    return end.reason.code if end.reason is not None else None


def _is_ours(end: Transition, finish_by: datetime) -> bool:
    code = _code(end)
    return code in _OURS and not (code in _TOO_LATE and end.at >= finish_by)
