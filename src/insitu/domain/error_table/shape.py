"""The shape of a row of the error table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """What an error code means, wherever it appears.

    Parameters
    ----------
    code
        UpperCamelCase, stable forever.
    status
        The HTTP status that carries it (RFC 9110).
    what
        One sentence: what is wrong.
    next_step
        One sentence: what the person who meets it does next.
    retry
        True if the same request can succeed later without being changed.
    after_repair
        True if somebody has to do something first, so that waiting alone does not help.
    new_token
        True if the same request succeeds with a new token.
    """

    code: str
    status: int
    what: str
    next_step: str
    retry: bool = False
    after_repair: bool = False
    new_token: bool = False


def read_rows(text: str) -> tuple[ErrorDefinition, ...]:
    """Read rows of three lines each: the code, the status and what is true of it; ``what``; ``next_step``."""
    lines = iter(text.strip().splitlines())
    found = []
    for head, what, next_step in zip(lines, lines, lines, strict=True):
        code, status, *flags = head.split()
        found.append(ErrorDefinition(code, int(status), what.strip(), next_step.strip(), **dict.fromkeys(flags, True)))
    return tuple(found)
