"""Exit codes are a published table: of sealed algorithms, and of the command line."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import ERRORS
from insitu.domain.execution import Phase
from insitu.domain.exit_codes import (
    COMMAND_EXITS,
    CONFLICT,
    EXECUTION_FAILED,
    EXECUTION_STOPPED,
    FAILED,
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    OK,
    TRY_AGAIN,
    describe_exit,
    exit_code_of_error,
    exit_code_of_outcome,
)


@given(st.integers(1, 255))
def test_every_exit_is_explained_with_its_number(code: int) -> None:
    assert describe_exit(code).startswith(f"exit code {code}")


@pytest.mark.parametrize("name", ["SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGSEGV", "SIGTERM", "SIGXFSZ"])
def test_a_signal_is_explained_with_its_name_and_meaning(name: str) -> None:
    text = describe_exit(128 + signal.Signals[name])
    assert f"({name})" in text
    assert ":" in text


def test_a_number_that_only_the_algorithm_knows_stands_alone() -> None:
    assert describe_exit(3) == "exit code 3"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        ("InvalidDocument", INVALID),
        ("NotOwner", NOT_ALLOWED),
        ("ExecutionUnknown", NOT_FOUND),
        ("AgreementExpired", CONFLICT),
        ("ChainUnavailable", TRY_AGAIN),
        ("AssetNotFound", NOT_FOUND),
        ("InsufficientFunds", CONFLICT),
        ("TransactionUnconfirmed", FAILED),
        ("StorageFailed", FAILED),
        ("InternalError", FAILED),
        ("OfANewerServer", FAILED),
    ],
)
def test_an_error_has_an_exit_code(error: str, exit_code: int) -> None:
    assert exit_code_of_error(error) == exit_code


def test_only_what_waiting_fixes_says_try_again() -> None:
    """A scheduler that repeats on this code would repeat forever if somebody had to act."""
    for code, row in ERRORS.items():
        if exit_code_of_error(code) == TRY_AGAIN:
            assert row.retry
            assert not row.after_repair


def test_every_error_has_a_documented_exit_code_that_is_not_success() -> None:
    codes = {exit_code_of_error(code) for code in ERRORS}
    assert codes <= set(COMMAND_EXITS) - {OK}


def test_the_outcome_of_an_execution_has_an_exit_code() -> None:
    assert exit_code_of_outcome(Phase.SUCCEEDED) == OK
    assert exit_code_of_outcome(Phase.FAILED) == EXECUTION_FAILED
    assert exit_code_of_outcome(Phase.STOPPED) == EXECUTION_STOPPED
