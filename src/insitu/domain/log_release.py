"""Log text is output: how much of it may still reach the consumer of an execution (ADR 0097).

Pure. The operator keeps one `LogRelease` beside each record and stores it before the bytes leave. A line counts once,
however often it is read: what counts is how far the captured text of an attempt was ever released.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from insitu.domain.execution import Execution, Phase, Transition
from insitu.domain.wire import WireModel

__all__ = ["Captured", "LogRelease", "LogState", "Released", "allotted", "bytes_left", "released"]

LogState = Literal["open", "spent", "rejected"]
"""Whether more text can come: not where the budget is spent and text is left, or the output was rejected."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What one attempt of a stage printed: so many bytes were captured, or at most so many will be."""

    stage: int
    attempt: int
    size: int


class Released(WireModel):
    """The first ``end`` bytes of what one attempt of a stage printed may reach the consumer."""

    stage: int
    attempt: int
    end: int


class LogRelease(WireModel):
    """What has been released of the logs of an execution.

    Attributes
    ----------
    files
        Bytes that the files of the logs volumes may have in the result, with their paths; None until it is collected.
    rejected
        True once the output was rejected: nothing is shown any more, not even what was shown before.
    """

    ends: tuple[Released, ...] = ()
    files: int | None = None
    rejected: bool = False

    @property
    def total(self) -> int:
        """Bytes of captured text that were released."""
        return sum(each.end for each in self.ends)

    def end(self, stage: int, attempt: int) -> int:
        """Return how many bytes of an attempt's text may be shown."""
        found = (each.end for each in self.ends if (each.stage, each.attempt) == (stage, attempt))
        return 0 if self.rejected else next(found, 0)


def bytes_left(execution: Execution, release: LogRelease) -> int:
    """Return how many more bytes may be released.

    While a result is collected it takes what is left of the budget, and after a success that is final: nobody reads
    afterwards for nothing what would have made it cost something.
    """
    last = _last(execution)
    taken = release.files is not None and last is None
    if release.rejected or taken or (last is not None and last.phase is Phase.SUCCEEDED):
        return 0
    return max(execution.plan.log_budget - release.total, 0)


def released(execution: Execution, release: LogRelease, wanted: Iterable[Captured] = ()) -> LogRelease:
    """Release texts up to the sizes that are wanted, one after the other, as far as the budget goes."""
    last = _last(execution)
    if last is not None and last.reason is not None and last.reason.code == "OutputRejected":
        return release.model_copy(update={"rejected": True})
    for each in wanted:
        present = release.end(each.stage, each.attempt)
        more = min(each.size - present, bytes_left(execution, release))
        if more > 0:
            grown = Released(stage=each.stage, attempt=each.attempt, end=present + more)
            others = (one for one in release.ends if (one.stage, one.attempt) != (each.stage, each.attempt))
            release = release.model_copy(update={"ends": (*others, grown)})
    return release


def allotted(execution: Execution, release: LogRelease, captured: Iterable[Captured]) -> LogRelease:
    """Divide the budget when a result is about to be collected: captured text first, the files get what is left."""
    if release.files is not None:
        return release
    release = released(execution, release, captured)
    return release.model_copy(update={"files": bytes_left(execution, release)})


def _last(execution: Execution) -> Transition | None:
    """How the execution ended, or is going to; None while that is open."""
    return execution.history[-1] if execution.ended else execution.outcome
