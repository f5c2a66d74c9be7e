"""cpu in cores, sizes with decimal and binary units, counts: exact integers or a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.domain.units import format_bytes, format_cores, parse_bytes, parse_cores, parse_count
from tests.domain.documents import vector

CASES = vector("units")


@pytest.mark.parametrize(("text", "size"), CASES["bytes"].items())
def test_sizes_are_those_of_the_vectors(text: str, size: str) -> None:
    assert parse_bytes(text) == int(size)


@pytest.mark.parametrize(("text", "thousandths"), CASES["cores"].items())
def test_cores_are_those_of_the_vectors(text: str, thousandths: int) -> None:
    assert parse_cores(text) == thousandths


@pytest.mark.parametrize("text", CASES["notBytes"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(InsituError, match="InvalidQuantity"):
        parse_bytes(text)


@given(st.integers(0, 2**63 - 1))
def test_a_size_is_written_so_that_it_reads_back(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


@given(st.integers(0, 10**9))
def test_cores_are_written_so_that_they_read_back(thousandths: int) -> None:
    assert parse_cores(format_cores(thousandths)) == thousandths


@given(st.one_of(st.text(max_size=12), st.integers(), st.floats(), st.none(), st.booleans(), st.lists(st.none())))
def test_no_value_raises_anything_but_a_refusal(value: object) -> None:
    for parse in (parse_bytes, parse_cores, parse_count):
        try:
            assert parse(value) >= 0
        except InsituError as error:
            assert error.code == "InvalidQuantity"


@pytest.mark.parametrize("value", ["-1", "1.5", "", "two", 10**12, True])
def test_a_count_is_a_whole_number(value: object) -> None:
    with pytest.raises(InsituError, match="InvalidQuantity"):
        parse_count(value)
