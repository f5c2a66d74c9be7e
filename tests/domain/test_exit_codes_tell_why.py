"""Exit codes are a published table: of sealed algorithms, and of the command line."""

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
    exit_code_of_error,
    exit_code_of_outcome,
    reason_of_exit,
)


@given(st.integers(1, 255))
def test_every_exit_but_zero_has_a_reason_of_the_error_table(code: int) -> None:
    reason = reason_of_exit(code)
    assert reason is not None
    assert reason.code in ERRORS
    assert str(code) in reason.message


def test_a_good_end_has_no_reason() -> None:
    assert reason_of_exit(0) is None


@pytest.mark.parametrize(
    ("exit_code", "code"), [(1, "AlgorithmFailed"), (159, "ForbiddenSystemCall"), (153, "DiskLimitExceeded")]
)
def test_signals_of_the_sandbox_are_told_apart(exit_code: int, code: str) -> None:
    reason = reason_of_exit(exit_code)
    assert reason is not None
    assert reason.code == code


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        ("InvalidDocument", INVALID),
        ("NotOwner", NOT_ALLOWED),
        ("ExecutionUnknown", NOT_FOUND),
        ("AgreementExpired", CONFLICT),
        ("ChainUnavailable", TRY_AGAIN),
        ("InternalError", FAILED),
        ("OfANewerServer", FAILED),
    ],
)
def test_an_error_has_an_exit_code(error: str, exit_code: int) -> None:
    assert exit_code_of_error(error) == exit_code


def test_every_error_has_a_documented_exit_code_that_is_not_success() -> None:
    codes = {exit_code_of_error(code) for code in ERRORS}
    assert codes <= set(COMMAND_EXITS) - {OK}


def test_the_outcome_of_an_execution_has_an_exit_code() -> None:
    assert exit_code_of_outcome(Phase.SUCCEEDED) == OK
    assert exit_code_of_outcome(Phase.FAILED) == EXECUTION_FAILED
    assert exit_code_of_outcome(Phase.STOPPED) == EXECUTION_STOPPED
