"""Exit codes: what a sealed algorithm's tells, and what the command line gives to its caller."""

from __future__ import annotations

from collections.abc import Mapping

from insitu.domain.errors import ERRORS
from insitu.domain.execution import Phase, Reason

ALGORITHM_EXITS: Mapping[int, tuple[str, str]] = {
    126: ("AlgorithmFailed", "the entrypoint cannot be executed: it is no programme or lacks permission"),
    127: ("AlgorithmFailed", "the entrypoint was not found in the image"),
    132: ("AlgorithmFailed", "an instruction that this processor does not know (SIGILL)"),
    134: ("AlgorithmFailed", "it aborted itself (SIGABRT)"),
    136: ("AlgorithmFailed", "an arithmetic error (SIGFPE)"),
    137: ("AlgorithmFailed", "it was killed (SIGKILL)"),
    139: ("AlgorithmFailed", "it touched memory that is not its own (SIGSEGV)"),
    143: ("AlgorithmFailed", "it was asked to end (SIGTERM)"),
    153: ("DiskLimitExceeded", "a file grew beyond the server's disk (SIGXFSZ)"),
    159: ("ForbiddenSystemCall", "it made a system call that the sandbox forbids (SIGSYS)"),
}
"""What an exit code means when nothing else is known: a reason's code and a sentence."""


def reason_of_exit(exit_code: int) -> Reason | None:
    """Why an algorithm ended, from its exit code alone; None if it ended well.

    A limit that the infrastructure saw being hit (memory, processes, time) is the better reason and goes first.
    """
    if exit_code == 0:
        return None
    code, message = ALGORITHM_EXITS.get(exit_code, ("AlgorithmFailed", "it ended with an error"))
    return Reason(code=code, message=f"exit code {exit_code}: {message}")


OK = 0
FAILED = 1
"""The request was refused, or something failed; the message says what."""
USAGE = 2
"""The command line itself is wrong."""
INVALID = 3
"""A document, id or amount is wrong: correct it."""
NOT_ALLOWED = 4
"""Not signed in as the right account, or the owner's rules refuse."""
NOT_FOUND = 5
CONFLICT = 6
"""It does not fit the present state: expired, running already, settled already."""
TRY_AGAIN = 7
"""The same command can succeed later without being changed."""
EXECUTION_FAILED = 8
"""The execution ended without a result because of its algorithm or its limits."""
EXECUTION_STOPPED = 9
INTERRUPTED = 130
"""Ctrl-C; an execution goes on."""

COMMAND_EXITS: Mapping[int, str] = {
    OK: "done",
    FAILED: "failed; the message says why",
    USAGE: "wrong usage",
    INVALID: "a document, id or amount is wrong",
    NOT_ALLOWED: "not allowed",
    NOT_FOUND: "not found",
    CONFLICT: "does not fit the present state",
    TRY_AGAIN: "not now; the same command can succeed later",
    EXECUTION_FAILED: "the execution failed",
    EXECUTION_STOPPED: "the execution was stopped",
    INTERRUPTED: "interrupted",
}
"""What each exit code of the command line means; the reference page is made from it."""

_BY_STATUS = {400: INVALID, 401: NOT_ALLOWED, 402: CONFLICT, 403: NOT_ALLOWED, 404: NOT_FOUND, 409: CONFLICT,
              410: NOT_FOUND, 413: INVALID, 422: INVALID, 429: TRY_AGAIN}  # fmt: skip


def exit_code_of_error(code: str) -> int:
    """The exit code of the command line for an error code of the table; 1 for one that is unknown."""
    definition = ERRORS.get(code)
    if definition is None:
        return FAILED
    if definition.retry:
        return TRY_AGAIN
    return _BY_STATUS.get(definition.status, FAILED)


def exit_code_of_outcome(phase: Phase) -> int:
    """The exit code of a command that waited for an execution."""
    return {Phase.SUCCEEDED: OK, Phase.STOPPED: EXECUTION_STOPPED}.get(phase, EXECUTION_FAILED)
