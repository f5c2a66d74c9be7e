"""No error code is removed, and none changes its class or its HTTP status: programs of other people compare them.

A new code is written into the vector by hand, once somebody has thought about its class.
"""

import json

import pytest

from insitu.domain.errors import ERRORS, class_of
from tests.architecture.sources import ROOT

VECTOR = ROOT / "tests" / "vectors" / "error-codes.json"


def published() -> dict[str, dict[str, object]]:
    codes: dict[str, dict[str, object]] = json.loads(VECTOR.read_text("utf-8"))["codes"]
    return codes


@pytest.mark.parametrize("code", sorted(published()))
def test_a_published_code_keeps_its_class_and_status(code: str) -> None:
    assert code in ERRORS, "a code that was published is never removed"
    assert {"class": class_of(code).__name__, "status": ERRORS[code].status} == published()[code]


def test_every_code_is_published() -> None:
    new = {code: {"class": class_of(code).__name__, "status": ERRORS[code].status} for code in ERRORS}
    assert not [code for code in new if code not in published()], f"add to {VECTOR.name}"


def test_the_list_is_sorted() -> None:
    assert list(published()) == sorted(published())


def test_a_removed_code_is_not_used_again() -> None:
    removed = json.loads(VECTOR.read_text("utf-8"))["removed"]
    assert not set(removed) & set(ERRORS)
