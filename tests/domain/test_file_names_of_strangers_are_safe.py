"""A name is accepted only if it means one file on every system, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.domain.file_names import collision_key, first_collision, path_problem, safe_name, safe_path

TRICKS = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    "a\\b",
    "..\\x",
    "a\0b",
    "a\nb",
    "a\x1b[31mb",
    "a\x7f",
    "\u202egnp.exe",
    "a\u200bb",
    "a\ud800",
    " a",
    "a ",
    "a.",
    "a\u2028b",
    "x" * 256,
    "é" * 128,
    "/".join(["a"] * 33),
    "/".join(["x" * 200] * 6),
]


@pytest.mark.parametrize("trick", TRICKS)
def test_path_tricks_are_refused(trick: str) -> None:
    with pytest.raises(InsituError) as caught:
        safe_path(trick)
    assert caught.value.code == "InvalidDocument"
    assert caught.value.detail.isascii()
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize(
    "path", ["a", "a.csv", ".hidden", "stage-0/b/c.txt", "Ergebnis (1) – für Ärzte.csv", "結果.csv"]
)
def test_plain_paths_are_accepted(path: str) -> None:
    assert safe_path(path) == path


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


@pytest.mark.parametrize(
    "paths",
    [["a", "a"], ["a", "A"], ["é", "e\u0301"], ["a", "a/b"], ["a/b", "a"], ["A/b", "a/B"], ["ﬁ", "fi"], ["ß", "SS"]],
)
def test_two_names_for_one_file_collide(paths: list[str]) -> None:
    assert first_collision(paths) is not None


@given(st.lists(st.text("ab/A", min_size=1, max_size=6), max_size=8))
def test_without_collision_every_path_is_a_file_of_its_own(paths: list[str]) -> None:
    if first_collision(paths) is not None:
        return
    keys = [collision_key(path) for path in paths]
    assert len(set(keys)) == len(keys)
    assert not any(other.startswith(key + "/") for key in keys for other in keys)
