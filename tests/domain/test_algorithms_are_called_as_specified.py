"""Arguments in order, configuration after them, the entrypoint split without a shell."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.algorithm import (
    AlgorithmAsset,
    arguments,
    argv,
    command,
    configuration_problem,
    container_fits,
    split_entrypoint,
)
from insitu.domain.compute_service import Container
from insitu.domain.errors import InsituError
from tests.domain.documents import CONTAINER, vector
from tests.domain.strategies import json_values


@pytest.mark.parametrize("case", vector("arguments"))
def test_the_argument_vector_is_that_of_the_vectors(case: dict[str, object]) -> None:
    made = argv(case["entrypoint"], case["files"], case["inputs"], case["configuration"])  # type: ignore[arg-type]
    assert list(made) == case["argv"]


@given(st.integers(0, 100))
def test_volumes_come_in_order_then_output_and_logs(count: int) -> None:
    made = arguments(count, {})
    assert made[:count] == tuple(f"--input{i}=/mnt/volume{i}" for i in range(1, count + 1))
    assert made[count:] == ("--output=/mnt/output", "--logs=/mnt/logs")


@pytest.mark.parametrize(
    "name", ["input1", "input", "INPUT12", "output", "Output", "logs", "", "-x", "a b", "a=b", "é"]
)
def test_reserved_and_impossible_names_are_refused(name: str) -> None:
    with pytest.raises(InsituError, match="InvalidDocument"):
        arguments(1, {name: "x"})


@given(st.text(max_size=20), json_values)
def test_what_passes_as_configuration_is_exactly_one_argument(name: str, value: object) -> None:
    if configuration_problem(name, value) is None:
        passed = arguments(0, {name: value})[2:]  # type: ignore[dict-item]
        assert len(passed) == 1
        assert passed[0].startswith(f"--{name}=")
        assert "\0" not in passed[0]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10), max_size=6))
def test_words_survive_quoting(words: list[str]) -> None:
    assert split_entrypoint(shlex.join(words)) == tuple(words)


@given(st.text(max_size=60))
def test_splitting_any_text_raises_nothing_but_a_refusal(text: str) -> None:
    try:
        assert all("\0" not in word for word in split_entrypoint(text))
    except InsituError as error:
        assert error.code == "InvalidDocument"


def test_the_order_of_configuration_does_not_depend_on_the_layout_of_the_document() -> None:
    assert arguments(0, {"b": 1, "a": 2}) == arguments(0, {"a": 2, "b": 1})


@pytest.mark.parametrize("text", ["$(id)", "a; b", "a && b", "a > b", "`id`", "$HOME", "*"])
def test_a_shells_characters_mean_nothing(text: str) -> None:
    assert " ".join(split_entrypoint(text)) == text


def test_the_script_of_the_specification_goes_before_the_entrypoint() -> None:
    assert command("python3 x.py", ["x.py", "compute-entrypoint.sh"]) == ("sh", "compute-entrypoint.sh")


@pytest.mark.parametrize("entrypoint", [None, "", "   ", "'open", "a\0b", "x" * 5000])
def test_nothing_to_start_is_refused(entrypoint: str | None) -> None:
    with pytest.raises(InsituError, match="InvalidDocument"):
        command(entrypoint, ["x.py"])


def test_the_algorithms_container_is_absent_or_the_stages() -> None:
    wanted = Container.read(CONTAINER)
    assert container_fits(wanted, None)
    assert container_fits(wanted, wanted)
    assert container_fits(wanted, Container.read({"image": "insitu/python"}))
    assert not container_fits(wanted, Container.read({**CONTAINER, "tag": "3.12"}))
    assert not container_fits(wanted, Container.read({**CONTAINER, "checksum": "sha256:" + "00" * 32}))
    assert not container_fits(Container.read({}), wanted)


def test_checksums_of_files_are_read_in_both_forms() -> None:
    digits = "AB" * 32
    files = [{"index": 0, "checksum": "sha256:" + digits}, {"index": 1, "checksum": digits}, {"index": 2}]
    read = AlgorithmAsset.read({"files": files}).files
    assert [file.sha256 for file in read] == ["ab" * 32, "ab" * 32, None]
