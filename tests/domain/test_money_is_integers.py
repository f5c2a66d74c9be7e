"""Amounts are exact: read strictly, shown exactly, split without dust."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.domain.money import MAX_AMOUNT, amount_of_display, display_amount, parse_amount
from tests.domain.documents import vector
from tests.domain.splits import split_charge

amounts = st.integers(0, MAX_AMOUNT)


@given(amounts)
def test_an_amount_reads_back(amount: int) -> None:
    assert parse_amount(str(amount)) == amount == parse_amount(amount)


@pytest.mark.parametrize(
    "value",
    [
        *["-1", "+1", "1.0", "1e3", "01", "", " 1", "1 ", "0x10", "١", "1_000", str(2**128)],
        *[2**128, -1, 1.0, True, None, [], pytest.param(10**6000, id="huge")],
    ],
)
def test_what_is_not_an_amount_is_refused(value: object) -> None:
    with pytest.raises(InsituError) as caught:
        parse_amount(value)
    assert caught.value.code == "InvalidAmount"
    assert len(caught.value.detail) < 200


@given(amounts, st.integers(0, 36))
def test_what_people_see_is_exact_and_can_be_typed_back(amount: int, decimals: int) -> None:
    shown = display_amount(amount, decimals)
    assert amount_of_display(shown, decimals) == amount


def test_amounts_are_shown_as_people_write_them() -> None:
    assert display_amount(1_500_000_000_000_000_000, 18, "NVM") == "1.5 NVM"
    assert display_amount(10, 0) == "10"
    assert display_amount(0, 18) == "0"
    assert display_amount(1, 18) == "0.000000000000000001"
    assert display_amount(10**24, 18) == "1000000"


@pytest.mark.parametrize("text", ["1.5", "0.1"])
def test_more_decimals_than_the_token_has_are_refused(text: str) -> None:
    with pytest.raises(InsituError, match="decimals"):
        amount_of_display(text, 0)


@pytest.mark.parametrize("text", ["", ".", "1.", ".5", "-1", "1e3", "nan", "inf", "1,5"])
def test_what_is_not_a_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(InsituError, match="InvalidAmount"):
        amount_of_display(text, 18)


shares = st.lists(st.integers(1, 2**120), min_size=1, max_size=8)


@given(st.data())
def test_a_split_loses_nothing_and_pays_nobody_less_than_nothing(data: st.DataObject) -> None:
    agreed = data.draw(shares)
    total = sum(agreed)
    settled = data.draw(st.integers(0, total))
    charge = data.draw(st.integers(0, total - settled))
    paid = split_charge(agreed, settled, charge)
    assert sum(paid) == charge
    assert all(share >= 0 for share in paid)


@given(st.data())
def test_any_slicing_pays_each_receiver_exactly_its_amount(data: st.DataObject) -> None:
    agreed = data.draw(shares | st.lists(st.integers(1, 3), min_size=1, max_size=8))
    total = sum(agreed)
    cuts = sorted({0, total, *data.draw(st.lists(st.integers(0, total), max_size=6))})
    paid = [0] * len(agreed)
    for before, after in pairwise(cuts):
        for i, share in enumerate(split_charge(agreed, before, after - before)):
            paid[i] += share
    assert paid == agreed


@pytest.mark.parametrize("case", vector("split"))
def test_the_split_is_that_of_the_vectors(case: dict[str, list[str]]) -> None:
    agreed = [int(amount) for amount in case["amounts"]]
    settled = 0
    for charge, expected in zip(case["charges"], case["paid"], strict=True):
        assert [str(share) for share in split_charge(agreed, settled, int(charge))] == expected
        settled += int(charge)


@pytest.mark.parametrize(("settled", "charge"), [(0, 11), (5, 6), (0, -1), (-1, 1), (11, 0)])
def test_more_than_was_agreed_cannot_be_settled(settled: int, charge: int) -> None:
    with pytest.raises(InsituError, match="ChargeExceedsRemainder"):
        split_charge([4, 6], settled, charge)


def test_a_free_agreement_pays_nobody() -> None:
    assert split_charge([], 0, 0) == ()
