"""Exit codes: what an algorithm's exit code means, and which one each command ends with."""

from collections.abc import Mapping
from signal import Signals

from insitu.domain.errors import ERRORS
from insitu.domain.execution import Phase

ALGORITHM_EXITS: Mapping[int, str] = {
    126: "a command that it calls cannot be executed",
    127: "a command that it calls is not in the image",
    129: "its terminal was closed (SIGHUP)",
    130: "it was interrupted (SIGINT)",
    131: "it was asked to quit (SIGQUIT)",
    132: "it used an instruction that this processor does not know (SIGILL)",
    133: "it hit a trap (SIGTRAP)",
    134: "it aborted itself (SIGABRT)",
    135: "it accessed memory that is no longer there, for instance of a truncated file (SIGBUS)",
    136: "it made an arithmetic error (SIGFPE)",
    137: "it was killed (SIGKILL)",
    139: "it accessed memory that is not its own (SIGSEGV)",
    141: "nobody was reading what it wrote (SIGPIPE)",
    142: "its alarm went off (SIGALRM)",
    143: "it was asked to end (SIGTERM)",
    153: "a file grew beyond the server's disk (SIGXFSZ)",
    159: "it made a system call that the sandbox forbids (SIGSYS)",
}
"""What an exit code means by the convention of shells: 128 plus the signal. A program may use its own codes."""


def describe_exit(exit_code: int) -> str:
    """Return for instance ``exit code 137: it was killed (SIGKILL)``, or only the number if it has no known meaning."""
    meaning = ALGORITHM_EXITS.get(exit_code)
    if meaning is None and 128 < exit_code <= 128 + 64:
        number = exit_code - 128
        meaning = f"signal {Signals(number).name if number in set(Signals) else number}"
    return f"exit code {exit_code}" if meaning is None else f"exit code {exit_code}: {meaning}"


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
"""It conflicts with the current state: expired, already running, already settled."""
TRY_AGAIN = 7
"""Waiting alone helps: the same command can succeed later."""
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
    CONFLICT: "conflicts with the current state",
    TRY_AGAIN: "not now; the same command can succeed later",
    EXECUTION_FAILED: "the execution failed",
    EXECUTION_STOPPED: "the execution was stopped",
    INTERRUPTED: "interrupted",
}
"""What each exit code of the command line means; the reference page is made from it."""

_BY_STATUS = {400: INVALID, 401: NOT_ALLOWED, 402: CONFLICT, 403: NOT_ALLOWED, 404: NOT_FOUND, 409: CONFLICT,
              410: NOT_FOUND, 413: INVALID, 422: INVALID, 429: TRY_AGAIN}  # fmt: skip


def exit_code_of_error(code: str) -> int:
    """Return the exit code of the command line for an error code of the table; 1 for one that is unknown."""
    definition = ERRORS.get(code)
    if definition is None:
        return FAILED
    if definition.retry and not definition.after_repair:
        return TRY_AGAIN
    return _BY_STATUS.get(definition.status, FAILED)


def exit_code_of_outcome(phase: Phase) -> int:
    """Return the exit code of a command that waited for an execution."""
    return {Phase.SUCCEEDED: OK, Phase.STOPPED: EXECUTION_STOPPED}.get(phase, EXECUTION_FAILED)
