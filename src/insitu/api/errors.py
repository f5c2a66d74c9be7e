"""Problem documents (RFC 9457): the one JSON shape of every error."""

from pydantic import Field, JsonValue

from insitu.domain.errors import InsituError, Violation, definition_of
from insitu.domain.wire import WireModel

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:insitu:error:"


class ProblemViolation(WireModel):
    """One violation of a document: JSON pointer, rule, sentence."""

    pointer: str
    code: str
    message: str


class Problem(WireModel):
    """A problem document.

    Attributes
    ----------
    type
        ``urn:insitu:error:<code>``.
    title
        What the code means. ``detail`` says what happened this time, ``next_step`` what to do.
    instance
        Id of the request, as in the server's log.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    next_step: str
    retry: bool = False
    instance: str | None = None
    pointer: str | None = None
    problems: tuple[ProblemViolation, ...] = ()
    context: dict[str, JsonValue] = Field(default_factory=dict)

    @classmethod
    def of(cls, error: InsituError, instance: str | None = None) -> "Problem":
        """Describe an error."""
        definition = error.definition
        return cls(
            type=TYPE_PREFIX + error.code,
            title=definition.what,
            status=definition.status,
            detail=error.detail,
            code=error.code,
            next_step=definition.next_step,
            retry=definition.retry,
            instance=instance,
            pointer=error.pointer,
            problems=tuple(
                ProblemViolation(pointer=problem.pointer, code=problem.code, message=problem.message)
                for problem in error.problems
            ),
            context={name: _plain(value) for name, value in error.context.items()},
        )

    def error(self) -> InsituError:
        """Return the error again, on the client's side; an unknown code from a newer server stays readable."""
        known = definition_of(self.code)
        detail = self.detail if known.code == self.code else f"{self.code}: {self.detail}"
        return InsituError(
            known.code,
            detail,
            pointer=self.pointer,
            problems=[Violation(problem.pointer, problem.code, problem.message) for problem in self.problems],
            **self.context,
        )


def _plain(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    return str(value)
