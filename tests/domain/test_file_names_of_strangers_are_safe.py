"""A name is accepted only if it means one file on every system, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.canonical import sha256_hex
from insitu.domain.errors import InsituError
from insitu.domain.file_names import (
    collision_key,
    delivered_bytes,
    delivery_problem,
    first_collision,
    is_left_out,
    path_problem,
    safe_name,
    safe_path,
)
from tests.domain.documents import VECTORS

NAMES: dict[str, list[Any]] = json.loads((VECTORS / "file-names.json").read_text("utf-8"))


@pytest.mark.parametrize("trick", NAMES["unsafePaths"])
def test_path_tricks_are_refused(trick: str) -> None:
    with pytest.raises(InsituError) as caught:
        safe_path(trick)
    assert caught.value.code == "InvalidDocument"
    assert caught.value.detail.isascii()
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize("path", NAMES["safePaths"])
def test_plain_paths_are_accepted(path: str) -> None:
    assert safe_path(path) == path


def test_a_name_may_have_the_characters_of_unicode_14_and_no_later_ones() -> None:
    every = map(chr, (*range(0xD800), *range(0xE000, 0x110000)))
    accepted = "".join(character for character in every if path_problem(f"x{character}x") is None)
    known: Any = NAMES["characters"]
    assert (len(accepted), sha256_hex(accepted.encode())) == (known["accepted"], known["sha256"])


@given(st.text(max_size=40))
def test_a_safe_path_stays_below_its_folder(path: str) -> None:
    if path_problem(path) is None:
        assert not path.startswith("/")
        assert all(part not in ("", ".", "..") for part in path.split("/"))
        assert path.isprintable()


@given(st.text(max_size=40))
def test_a_safe_name_is_one_component(name: str) -> None:
    try:
        assert "/" not in safe_name(name)
    except InsituError as error:
        assert error.code == "InvalidDocument"


@pytest.mark.parametrize("paths", NAMES["collidingPaths"])
def test_two_names_for_one_file_collide(paths: list[str]) -> None:
    assert first_collision(paths) is not None


@given(st.lists(st.text("ab/A", min_size=1, max_size=6), max_size=8))
def test_without_collision_every_path_is_a_file_of_its_own(paths: list[str]) -> None:
    if first_collision(paths) is not None:
        return
    keys = [collision_key(path) for path in paths]
    assert len(set(keys)) == len(keys)
    assert not any(other.startswith(key + "/") for key in keys for other in keys)


@pytest.mark.parametrize("name", NAMES["refusedNames"])
def test_a_name_that_some_system_takes_for_something_else_is_not_delivered(name: str) -> None:
    assert delivery_problem(name)


@pytest.mark.parametrize("name", NAMES["deliveredNames"])
def test_usual_names_are_delivered(name: str) -> None:
    assert delivery_problem(name) is None
    assert not is_left_out(name)


@pytest.mark.parametrize("name", NAMES["leftOutNames"])
def test_a_name_that_begins_with_a_point_in_any_form_is_left_out(name: str) -> None:
    assert is_left_out(name)


@pytest.mark.parametrize("case", NAMES["deliveredBytes"])
def test_a_name_counts_in_bytes(case: dict[str, Any]) -> None:
    assert delivered_bytes(case["path"], case["size"]) == case["bytes"]


@pytest.mark.parametrize("name", [".zarray", "a:b", "-1", "con", "0.0"])
def test_an_owner_may_mount_what_is_not_delivered(name: str) -> None:
    assert path_problem(f"store/{name}") is None
