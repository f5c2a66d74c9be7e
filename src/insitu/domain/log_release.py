"""Log text is output: how much of it may still reach the consumer of an execution (ADR 0097).

Everything here is pure. The operator keeps one ``LogRelease`` beside each record and stores it before the bytes leave.
A line counts once no matter how often it is read, because what counts is how far an attempt's text was ever released.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from insitu.domain.execution import Execution, Phase, Transition
from insitu.domain.wire import WireModel

LogState = Literal["open", "spent", "rejected"]
"""Whether more text can come: not if the budget is spent while text is left, or if the output was rejected."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What one attempt of a stage printed: the number of bytes that were captured, or the most that will be."""

    stage: int
    attempt: int
    size: int


class Released(WireModel):
    """How far an attempt's text is released: its first ``end`` bytes may reach the consumer."""

    stage: int
    attempt: int
    end: int


class LogRelease(WireModel):
    """What has been released of the logs of an execution.

    Attributes
    ----------
    files
        Bytes that the files in the logs volumes and their paths may take in the result; None until it is collected.
    rejected
        True once the output was rejected: nothing is shown any more, not even what was shown before.
    """

    ends: tuple[Released, ...] = ()
    files: int | None = None
    rejected: bool = False

    @property
    def total(self) -> int:
        """Bytes of captured text that were released."""
        return sum(done.end for done in self.ends)

    def end(self, stage: int, attempt: int) -> int:
        """Return how many bytes of an attempt's text may be shown."""
        found = (done.end for done in self.ends if (done.stage, done.attempt) == (stage, attempt))
        return 0 if self.rejected else next(found, 0)


def bytes_left(execution: Execution, release: LogRelease) -> int:
    """Return how many more bytes may be released.

    Collecting a result takes what is left of the budget, and a success makes that final, so that nobody can read
    afterwards, for free, text that would have been charged.
    """
    last = _last(execution)
    taken = release.files is not None and last is None
    if release.rejected or taken or (last is not None and last.phase is Phase.SUCCEEDED):
        return 0
    return max(execution.plan.log_budget - release.total, 0)


def released(execution: Execution, release: LogRelease, wanted: Iterable[Captured] = ()) -> LogRelease:
    """Release texts up to the wanted sizes, one after the other, as far as the budget goes."""
    last = _last(execution)
    if last is not None and last.reason is not None and last.reason.code == "OutputRejected":
        return release.model_copy(update={"rejected": True})
    for text in wanted:
        shown = release.end(text.stage, text.attempt)
        more = min(text.size - shown, bytes_left(execution, release))
        if more > 0:
            grown = Released(stage=text.stage, attempt=text.attempt, end=shown + more)
            others = (other for other in release.ends if (other.stage, other.attempt) != (text.stage, text.attempt))
            release = release.model_copy(update={"ends": (*others, grown)})
    return release


def allotted(execution: Execution, release: LogRelease, captured: Iterable[Captured]) -> LogRelease:
    """Divide the budget before a result is collected: captured text comes first, and the files get what is left."""
    if release.files is not None:
        return release
    release = released(execution, release, captured)
    return release.model_copy(update={"files": bytes_left(execution, release)})


def _last(execution: Execution) -> Transition | None:
    """Return how the execution ended or will end; None while that is open."""
    return execution.history[-1] if execution.ended else execution.outcome
