"""Collecting everything that is wrong with a document, so that its author sees it all at once."""

from dataclasses import dataclass, field

from insitu.domain.canonical import escape_pointer
from insitu.domain.errors import InsituError, Violation

MAX_PROBLEMS = 100
"""The most problems in a report: nobody reads more, and a hostile document must not cause a huge answer."""


@dataclass(frozen=True)
class Checker:
    """Collects violations at one place of a document. :meth:`at` gives a checker for a place below it."""

    pointer: str = ""
    problems: list[Violation] = field(default_factory=list)

    def at(self, *segments: str | int) -> "Checker":
        """Return a checker for a member or item below this place, which reports into the same list."""
        return self.below("".join(f"/{escape_pointer(str(segment))}" for segment in segments))

    def below(self, pointer: str) -> "Checker":
        """Return a checker for the place that this pointer leads to from here."""
        return Checker(self.pointer + pointer, self.problems)

    def report(self, code: str, message: str) -> None:
        """Report that this place breaks a rule. Problems beyond ``MAX_PROBLEMS`` are dropped."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Violation(pointer=self.pointer, code=code, message=message))

    def require(self, condition: bool, code: str, message: str) -> bool:
        """Report unless ``condition`` holds, and return the condition."""
        if not condition:
            self.report(code, message)
        return condition

    def include(self, error: InsituError) -> None:
        """Add the problems of an error that a reader raised."""
        nested = list(error.problems) or [
            Violation(pointer=error.pointer or self.pointer, code=error.code, message=error.detail)
        ]
        self.problems.extend(nested[: MAX_PROBLEMS - len(self.problems)])

    def raise_if_any(self) -> None:
        """Raise an error with all problems if anything was reported.

        Its code is the one that all problems share if that is in ``RULE_CODES`` (``StageOrder``, ``ServerAmbiguous``,
        …), or else ``InvalidDocument``.
        """
        if not self.problems:
            return
        first = self.problems[0]
        shared = {problem.code for problem in self.problems}
        code = first.code if len(shared) == 1 and first.code in RULE_CODES else "InvalidDocument"
        raise InsituError(code, first.message, pointer=first.pointer, problems=tuple(dict.fromkeys(self.problems)))


RULE_CODES = frozenset(
    {
        "InputElsewhere",
        "ManualReviewNotSupported",
        "NoComputeService",
        "OutputDidNotSupported",
        "PolicyNotUnderstood",
        "ServerAmbiguous",
        "ServerInstancesNotSupported",
        "StageOrder",
        "TimelockNotSupported",
        "TooManyStages",
    }
)
"""Codes of rules that are in the error table themselves; any other violation is an ``InvalidDocument``."""
