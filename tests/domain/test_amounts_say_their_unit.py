"""Amounts in Python count tokens; base units only where the name says so."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import insitu
from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.money import MAX_AMOUNT

TEN = 10 * 10**18


@pytest.mark.parametrize("written", ["10", 10, Decimal(10), Decimal("1E+1"), Decimal("10.0"), "10.000"])
def test_a_number_counts_whole_tokens(written: Any) -> None:
    assert Amount(written).base_units == TEN
    assert Amount.read(written, decimals=6, symbol="EUR").base_units == 10_000_000
    assert str(Amount(written)) == "10 NVM"
    assert insitu.Amount is Amount


@pytest.mark.parametrize(
    "written",
    [10.0, 0.1, float("nan"), True, None, -1, "-1", "1e3", "1,5", "", " 1", "10 NVM", Decimal(-1), Decimal("NaN"),
     Decimal("Infinity"), Decimal("1E+99999999"), Decimal("1E-99"), "0.0000000000000000001", 10**40, b"10"],
)  # fmt: skip
def test_what_is_not_an_exact_amount_is_refused(written: Any) -> None:
    with pytest.raises(InsituError, match="InvalidAmount"):
        Amount(written)


def test_a_number_that_was_meant_in_base_units_is_refused() -> None:
    for written in (10**5000, -(10**5000), 10 * 10**18):
        with pytest.raises(InsituError, match=r"InvalidAmount: .* Amount\.from_base_units"):
            Amount(written)


def test_a_float_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(InsituError, match=r"write '0\.1'"):
        Amount(0.1)  # type: ignore[arg-type]


@given(st.integers(0, MAX_AMOUNT))
def test_base_units_are_what_the_name_says_and_nothing_is_lost(number: int) -> None:
    plain = Amount.from_base_units(number)
    assert str(plain) == f"{number} base units"
    known = Amount.read(plain, decimals=18, symbol="NVM")
    assert (known.base_units, known, bool(known)) == (number, plain, number > 0)
    assert Amount.read(known, decimals=18, symbol="NVM") == Amount(str(known).removesuffix(" NVM"))


def test_an_amount_of_another_token_is_refused() -> None:
    with pytest.raises(InsituError, match="InvalidAmount: 10 NVM has 18 decimals, but the token has 6"):
        Amount.read(Amount(10), decimals=6, symbol="EUR")


def test_amounts_compare_with_amounts_only() -> None:
    assert Amount("0.5") < Amount(1) <= Amount("1.0")
    assert max(Amount(2), Amount.from_base_units(3)) == Amount(2)
    with pytest.raises(TypeError):
        assert Amount(1) < 2  # type: ignore[operator]
