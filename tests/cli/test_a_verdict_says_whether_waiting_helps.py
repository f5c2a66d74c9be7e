"""A scheduler repeats a command on one exit code only; a verdict has it only if waiting fixes every reason."""

from types import SimpleNamespace
from typing import Any

import pytest

from insitu.cli.commands.purchase import refuse
from insitu.domain.exit_codes import NOT_ALLOWED, TRY_AGAIN
from tests.cli.conftest import DID


@pytest.mark.parametrize(
    ("codes", "exit_code"),
    [
        (["FreeGasExhausted"], TRY_AGAIN),
        (["FreeGasExhausted", "QuotaExceeded"], TRY_AGAIN),
        (["AlgorithmNotAllowed"], NOT_ALLOWED),
        (["AlgorithmNotAllowed", "FreeGasExhausted"], NOT_ALLOWED),
        ([], NOT_ALLOWED),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_verdict_asks_to_try_again_if_only_time_is_missing(
    codes: list[str], exit_code: int, *, as_json: bool
) -> None:
    shown: list[object] = []
    session: Any = SimpleNamespace(
        choices=SimpleNamespace(as_json=as_json), screen=SimpleNamespace(json=shown.append, note=shown.append)
    )
    reasons = [SimpleNamespace(code=code, did=DID, message="because", next_step="do") for code in codes]
    quote: Any = SimpleNamespace(reasons=reasons)
    assert refuse(session, quote) == exit_code
    assert shown == [quote] or all(any(code in str(line) for line in shown) for code in codes)
