"""Collecting what is wrong with a document, so that its author sees all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from insitu.domain.canonical import escape_pointer
from insitu.domain.errors import InsituError, Violation

MAX_PROBLEMS = 100
"""A report ends here: nobody reads more, and a hostile document must not make a huge answer."""


@dataclass(frozen=True)
class Checker:
    """Collects violations below one place of a document.

    `at` gives a checker for a place further down that reports into the same list.
    """

    pointer: str = ""
    problems: list[Violation] = field(default_factory=list)

    def at(self, *segments: str | int) -> Checker:
        """A checker for a member or item below this place."""
        below = "".join(f"/{escape_pointer(str(segment))}" for segment in segments)
        return Checker(self.pointer + below, self.problems)

    def report(self, code: str, message: str) -> None:
        """Note that this place breaks a rule. Problems beyond `MAX_PROBLEMS` are dropped."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Violation(pointer=self.pointer, code=code, message=message))

    def require(self, condition: bool, code: str, message: str) -> bool:
        """Report unless `condition` holds; gives the condition back."""
        if not condition:
            self.report(code, message)
        return condition

    def include(self, error: InsituError) -> None:
        """Take over the problems of an error that a reader raised."""
        nested = list(error.problems) or [
            Violation(pointer=error.pointer or self.pointer, code=error.code, message=error.detail)
        ]
        self.problems.extend(nested[: MAX_PROBLEMS - len(self.problems)])

    def raise_if_any(self) -> None:
        """Raise if anything was reported.

        Raises:
            InsituError: with the code that all problems share if it names a rule of its own
                (`StageOrder`, `ServerAmbiguous`, …), else `InvalidDocument`; with all problems.
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
        "ServerAmbiguous",
        "ServerInstancesNotSupported",
        "StageOrder",
        "TimelockNotSupported",
        "TooManyStages",
    }
)
"""Codes of rules that stand in the error table themselves; the other violations are an `InvalidDocument`."""
