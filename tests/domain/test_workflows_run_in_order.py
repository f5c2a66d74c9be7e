"""Stages and inputs come in ascending index, and outputs that no stage reads are published."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.domain.workflow import Workflow, output_prefix, read_workflow
from insitu.domain.workflow_rules import validate_workflow
from tests.domain.documents import CONTAINER, stage, two_stages, workflow_ddo
from tests.domain.strategies import mutated

A, B, C = (f"did:nv:{digit * 64}" for digit in "abc")


def workflow(*stages: dict[str, Any]) -> Workflow:
    return Workflow.read({"stages": list(stages)})


def refusal(*stages: dict[str, Any]) -> InsituError:
    with pytest.raises(InsituError) as caught:
        validate_workflow(workflow(*stages), "/w")
    return caught.value


def reads(*previous: int) -> list[dict[str, Any]]:
    return [{"index": i, "previousStage": stage} for i, stage in enumerate(previous)]


def test_the_example_of_the_specification_is_valid() -> None:
    validate_workflow(Workflow.read(two_stages(A, B, C)))


def test_stages_and_inputs_are_ordered_by_index_not_by_position() -> None:
    given = workflow(
        stage(7, reads(2), C),
        stage(2, [{"index": 11, "id": A}, {"index": 2, "id": B}, {"index": 10, "id": C}], C),
    )
    validate_workflow(given)
    assert [stage.number for stage in given.ordered_stages] == [2, 7]
    assert given.input_dids == (B, C, A)
    assert given.published_stages == (7,)


def test_eleven_inputs_stay_in_order() -> None:
    inputs = [{"index": i, "id": f"did:nv:{i:064x}"} for i in reversed(range(11))]
    ordered = workflow(stage(0, inputs, C)).ordered_stages[0].ordered_inputs
    assert [each.index for each in ordered] == list(range(11))


def test_several_published_stages_stand_in_folders_of_their_own() -> None:
    given = workflow(stage(0, [{"index": 0, "id": A}], C), stage(1, reads(0), C), stage(2, reads(0), C))
    validate_workflow(given)
    assert given.published_stages == (1, 2)
    assert [output_prefix(index, given.published_stages) for index in given.published_stages] == [
        "stage-1/",
        "stage-2/",
    ]
    assert output_prefix(1, (1,)) == ""


@given(st.data())
def test_every_stage_is_either_published_or_read_by_a_later_one(data: st.DataObject) -> None:
    indices = sorted(data.draw(st.sets(st.integers(0, 30), min_size=1, max_size=8)))
    stages = []
    for position, index in enumerate(indices):
        earlier = data.draw(st.lists(st.sampled_from(indices[:position]), unique=True)) if position else []
        inputs = [*reads(*earlier), {"index": 99, "id": A}]
        stages.append(stage(index, inputs, C))
    given = workflow(*data.draw(st.permutations(stages)))
    validate_workflow(given)
    read = {each.previous_stage for one in given.stages for each in one.input}
    assert set(given.published_stages) == set(indices) - read
    assert indices[-1] in given.published_stages


@pytest.mark.parametrize("previous", [1, 2, 9])
def test_a_stage_reads_only_what_runs_before_it(previous: int) -> None:
    error = refusal(
        stage(0, [{"index": 0, "id": A}], C),
        stage(1, [{"index": 0, "previousStage": previous}], C),
        stage(2, reads(0), C),
    )
    assert error.code == "StageOrder"
    assert error.pointer == "/w/stages/1/input/0/previousStage"


def test_a_stage_does_not_read_a_stage_that_is_not_there() -> None:
    error = refusal(stage(5, [{"index": 0, "id": A}], C), stage(7, [{"index": 0, "previousStage": 6}], C))
    assert error.code == "StageOrder"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"requirements": {"serverInstances": 2, "container": CONTAINER}}, "ServerInstancesNotSupported"),
        ({"output": {"id": A}}, "OutputDidNotSupported"),
        ({"requirements": {}}, "InvalidDocument"),
        ({"requirements": {"container": {"image": "x", "tag": "latest"}}}, "InvalidDocument"),
        ({"requirements": {"container": CONTAINER, "memory": "lots"}}, "InvalidDocument"),
        ({"transformation": {}}, "InvalidDocument"),
        ({"input": []}, "InvalidDocument"),
        ({"input": [{"index": 0, "id": "did:nv:12345"}]}, "InvalidDocument"),
        ({"input": [{"index": 0}]}, "InvalidDocument"),
        ({"input": [{"index": 0, "id": A, "previousStage": 0}]}, "InvalidDocument"),
        ({"input": [{"index": 0, "id": A}, {"index": 0, "id": B}]}, "InvalidDocument"),
        ({"configuration": {"output": "x"}}, "InvalidDocument"),
        ({"configuration": {"nested": {}}}, "InvalidDocument"),
        ({"stageType": "x" * 201}, "InvalidDocument"),
    ],
)
def test_a_stage_that_cannot_be_run_is_refused(change: dict[str, Any], code: str) -> None:
    error = refusal(stage(0, [{"index": 0, "id": A}], C) | change)
    assert error.code == code
    assert error.pointer is not None
    assert error.pointer.startswith("/w/stages")


def test_different_servers_are_ambiguous() -> None:
    first = {"container": CONTAINER, "serverId": "1"}
    second = {"container": CONTAINER, "serverId": "2"}
    stages = (
        stage(0, [{"index": 0, "id": A}], C, requirements=first),
        stage(1, reads(0), C, requirements=second),
    )
    assert refusal(*stages).code == "ServerAmbiguous"


def test_ten_thousand_stages_are_refused_at_once() -> None:
    many = [stage(i, [{"index": 0, "id": A}], C) for i in range(10_000)]
    error = refusal(*many)
    assert (error.code, len(error.problems)) == ("TooManyStages", 1)


def test_a_hundred_and_one_inputs_are_refused() -> None:
    assert refusal(stage(0, [{"index": i, "id": A} for i in range(101)], C)).code == "TooManyStages"


@pytest.mark.parametrize("stages", [[], [stage(0, [{"index": 0, "id": A}], C)] * 2])
def test_no_stage_and_two_of_one_index_are_refused(stages: list[dict[str, Any]]) -> None:
    assert refusal(*stages).code == "InvalidDocument"


def test_the_need_is_the_largest_of_all_stages() -> None:
    small = {"container": CONTAINER, "cpu": "0.5", "memory": "8gb", "gpu": 1}
    large = {"container": CONTAINER, "cpu": 4, "memory": "512mib", "disk": "1tb"}
    need = workflow(stage(0, [], C, requirements=small), stage(1, [], C, requirements=large)).need
    assert (need.millicores, need.gpus, need.memory_bytes, need.disk_bytes) == (4000, 1, 8 * 10**9, 10**12)


def test_the_description_of_the_result_comes_from_the_published_stages() -> None:
    given = workflow(
        stage(0, [{"index": 0, "id": A}], C, output={"metadata": {"name": "hidden"}}),
        stage(1, reads(0), C, output={"metadata": {"name": "Table"}}),
    )
    assert given.output_metadata == {"name": "Table"}


@given(mutated(two_stages(A, B, C), changes=5))
def test_a_workflow_of_any_shape_is_run_in_order_or_refused(value: Any) -> None:
    try:
        given = Workflow.read(value)
        validate_workflow(given)
    except InsituError:
        return
    done: set[int] = set()
    for each in given.ordered_stages:
        assert {one.previous_stage for one in each.input if one.previous_stage is not None} <= done
        done.add(each.number)


def test_an_asset_that_is_not_a_workflow_has_none() -> None:
    document = workflow_ddo().to_json()
    del document["service"][0]["attributes"]["main"]["workflow"]
    with pytest.raises(InsituError, match="not a workflow"):
        read_workflow(workflow_ddo().read(document))
