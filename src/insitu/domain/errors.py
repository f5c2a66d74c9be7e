"""The one error of `insitu`, and the look-up of what each of its codes means.

Everything that a user can meet is an :class:`InsituError` with a code from :data:`ERRORS`. HTTP turns it into a
problem document (RFC 9457), the command line into two lines and an exit code. The table is data, kept by topic in
:mod:`insitu.domain.error_table`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from insitu.domain.error_table import DEFINITIONS, ErrorDefinition

__all__ = ["ERRORS", "ErrorDefinition", "InsituError", "Violation", "definition_of"]

ERRORS: Mapping[str, ErrorDefinition] = {definition.code: definition for definition in DEFINITIONS}
"""Every error code, with its HTTP status, its meaning, and the next step of the person who meets it."""

UNKNOWN = "InternalError"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong in a document: where (a JSON pointer, RFC 6901), which rule, and in words."""

    pointer: str
    code: str
    message: str


@dataclass(eq=False)
class InsituError(Exception):
    """A refusal or failure with a stable code.

    Parameters
    ----------
    code
        A key of :data:`ERRORS`. An unknown code is a defect of the caller and raises ``KeyError`` at once.
    detail
        What happened this time, for a person. Never holds a secret, a key, or the content of a data set.
    pointer
        JSON pointer (RFC 6901) of the offending member, where the error is about one place of a document.
    problems
        The single violations, where a document has several.
    context
        Facts for machines (ids, the two sides of a comparison), shown as members of the problem document.
    """

    code: str
    detail: str = ""
    pointer: str | None = None
    problems: Sequence[Violation] = ()
    context: dict[str, object] = field(default_factory=dict)

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        pointer: str | None = None,
        problems: Sequence[Violation] = (),
        **context: object,
    ) -> None:
        definition = ERRORS[code]
        super().__init__(detail or definition.what)
        self.code = code
        self.detail = detail or definition.what
        self.pointer = pointer
        self.problems = tuple(problems)
        self.context = context

    @property
    def definition(self) -> ErrorDefinition:
        """The row of the table that this error's code names."""
        return ERRORS[self.code]

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


def definition_of(code: str) -> ErrorDefinition:
    """Return the table's row of ``code``; an unknown one (of a newer server, say) reads as ``InternalError``."""
    return ERRORS.get(code, ERRORS[UNKNOWN])
