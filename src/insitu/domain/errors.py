"""The one error of `insitu`, its classes, and what each of its codes means.

::

    InsituError            every refusal and failure; its code says exactly which
    ├── InvalidInput       what was sent is wrong: correct it
    ├── NotAllowed         this account, or this algorithm, may not do it
    │   └── TokenError     the token is no longer accepted: a new one is
    ├── NotFound           there is no such thing here, or it is no longer kept
    ├── Conflict           it conflicts with the current state: expired, running, settled, too little money
    ├── LimitReached       a quota is used up for now
    └── Failure            something broke, and not because of what was sent
        └── Unavailable    a part of the system cannot answer now

The class follows from the HTTP status of the code's row in :data:`ERRORS`: ``InsituError("AssetNotFound")`` is a
:class:`NotFound` wherever it is made, here or from a server's problem document (RFC 9457). Catch a class to react to a
kind of error; compare ``code`` where exactly one error is meant. Whether waiting helps is in ``definition.retry``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from typing_extensions import override

from insitu.domain.error_table import DEFINITIONS, ErrorDefinition

ERRORS: Mapping[str, ErrorDefinition] = {definition.code: definition for definition in DEFINITIONS}
"""Every error code, with its HTTP status, its meaning, and the next step of the person who meets it."""

UNKNOWN = "InternalError"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong in a document: its place (a JSON pointer, RFC 6901), the broken rule, and a sentence."""

    pointer: str
    code: str
    message: str


class InsituError(Exception):
    """A refusal or failure with a stable code. Made with a code, it is of that code's class.

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

    def __new__(cls, code: str, *_: object, **__: object) -> Self:
        """Make an error of the code's class."""
        chosen = class_of(code) if cls is InsituError else cls
        return super().__new__(chosen)  # type: ignore[return-value]  # of a subclass

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
        if not isinstance(self, class_of(code)):
            raise TypeError(f"{code} is a {class_of(code).__name__}, not a {type(self).__name__}")
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

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.detail!r})"

    @override
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...], dict[str, object]]:
        return InsituError, (self.code, self.detail), self.__dict__


class InvalidInput(InsituError):
    """What was sent is wrong: correct it and send it again."""


class NotAllowed(InsituError):
    """The account, the algorithm or the caller's key may not do this."""


class TokenError(NotAllowed):
    """The token of the call is no longer accepted. The same call works with a new one; the SDK gets it by itself."""


class NotFound(InsituError):
    """There is no such thing here, or it is no longer kept."""


class Conflict(InsituError):
    """It conflicts with the current state: expired, running, already settled, not enough money."""


class LimitReached(InsituError):
    """A quota is used up. It is available again later."""


class Failure(InsituError):
    """Something broke, here or on another machine, and not because of what was sent."""


class Unavailable(Failure):
    """A part of the system cannot answer now."""


_BY_STATUS: Mapping[int, type[InsituError]] = {
    400: InvalidInput,
    401: NotAllowed,
    402: Conflict,
    403: NotAllowed,
    404: NotFound,
    405: InvalidInput,
    408: InvalidInput,
    409: Conflict,
    410: NotFound,
    413: InvalidInput,
    422: InvalidInput,
    429: LimitReached,
    500: Failure,
    501: Failure,
    502: Failure,
    503: Unavailable,
    504: Unavailable,
}


def class_of(code: str) -> type[InsituError]:
    """Return the class of a code's errors. Raises ``KeyError`` for an unknown code."""
    definition = ERRORS[code]
    return TokenError if definition.new_token else _BY_STATUS[definition.status]


def definition_of(code: str) -> ErrorDefinition:
    """Return the table's row of ``code``; an unknown one (of a newer server, say) reads as ``InternalError``."""
    return ERRORS.get(code, ERRORS[UNKNOWN])
