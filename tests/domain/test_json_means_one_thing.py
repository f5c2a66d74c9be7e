"""JSON text is read only if every reader understands it in the same way (RFC 7493)."""

import json
from typing import Any

import pytest

from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.json_text import read_json
from tests.domain.documents import VECTORS

CASES: dict[str, list[dict[str, Any]]] = json.loads((VECTORS / "json-text.json").read_text("utf-8"))


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES[kind]])


@cases("refused")
def test_text_that_readers_disagree_about_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises((InsituError, ValueError)) as caught:
        read_json(case["text"])
    assert not isinstance(caught.value, InsituError) or caught.value.code == "InvalidDocument"


@cases("withoutCanonicalForm")
def test_a_number_that_readers_round_has_no_canonical_form(case: dict[str, Any]) -> None:
    with pytest.raises(InsituError) as caught:
        canonical_json(read_json(case["text"]))
    assert (caught.value.code, caught.value.pointer) == ("InvalidDocument", case["pointer"])


@cases("accepted")
def test_text_that_means_one_thing_is_read(case: dict[str, Any]) -> None:
    assert read_json(case["text"]) == json.loads(case["text"])
    assert canonical_json(read_json(case["text"]))


def test_the_member_that_is_there_twice_is_named_without_its_control_characters() -> None:
    with pytest.raises(InsituError, match="the member '\\\\x1b' twice"):
        read_json('{"\\u001b": 1, "\\u001b": 2}')


def test_a_long_object_is_read_in_time_that_grows_with_its_length() -> None:
    text = "{" + ",".join(f'"{number}":0' for number in range(200_000)) + "}"
    assert len(read_json(text)) == 200_000
