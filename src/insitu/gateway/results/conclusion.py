"""How an execution ended, before it is frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from insitu.domain.execution import Charge, StageRecord, Transition, charge_of
from insitu.domain.plan import Failures
from insitu.ports.agreement_records import FrozenResult


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

    def rule(self, failures: Failures) -> Charge:
        """Return what it costs under what was agreed about failures."""
        return charge_of(self.outcome.phase, self.outcome.reason, delivered=self.released > 0, failures=failures)
