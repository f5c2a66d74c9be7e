"""One value has one canonical form (RFC 8785), whatever the order and layout it came in."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.canonical import canonical_json, checksum, keccak256, plain_json, sha3_256, sha256_hex
from insitu.domain.errors import InsituError
from tests.domain.documents import vector
from tests.domain.strategies import canonical_values, json_values


@given(canonical_values)
def test_reading_the_canonical_form_and_writing_it_again_changes_nothing(value: object) -> None:
    canonical = canonical_json(value)
    assert canonical_json(json.loads(canonical)) == canonical


@given(st.dictionaries(st.text(max_size=5), canonical_values, max_size=8), st.randoms())
def test_the_order_of_members_does_not_count(value: dict[str, object], shuffle: random.Random) -> None:
    members = list(value.items())
    shuffle.shuffle(members)
    assert canonical_json(dict(members)) == canonical_json(value)


@given(json_values)
def test_a_value_has_a_canonical_form_or_is_refused(value: object) -> None:
    try:
        assert json.loads(canonical_json(value)) == value
    except InsituError as error:
        assert error.code == "InvalidDocument"


@pytest.mark.parametrize("case", vector("canonical"))
def test_the_form_is_that_of_the_vectors(case: dict[str, object]) -> None:
    assert canonical_json(case["value"]).decode() == case["canonical"]
    assert checksum(case["value"]) == case["sha3_256"]


@pytest.mark.parametrize("number", [2**53, -(2**53), 1e17, 1e300, pytest.param(10**5000, id="huge")])
def test_a_number_that_readers_disagree_about_is_refused(number: float) -> None:
    with pytest.raises(InsituError) as caught:
        canonical_json({"a": [number]})
    assert (caught.value.code, caught.value.pointer) == ("InvalidDocument", "/a/0")


def test_a_pointer_escapes_what_pointers_must_escape() -> None:
    with pytest.raises(InsituError) as caught:
        plain_json({"a/b~c": {1}})
    assert caught.value.pointer == "/a~1b~0c"


def test_the_three_hashes_are_what_their_names_say() -> None:
    assert sha3_256(b"").hex() == "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
