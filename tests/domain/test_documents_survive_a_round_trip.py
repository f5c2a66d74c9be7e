"""Reading keeps what old documents have; what was read is written back exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.compute_service import ComputeService, read_compute_service
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.service import Service
from insitu.domain.workflow import Workflow, read_workflow
from tests.domain.documents import dataset_ddo, vector, workflow_ddo
from tests.domain.strategies import json_objects, json_values, mutated

EXAMPLES = ["specification-workflow", "specification-compute-service"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_specification_read_and_round_trip(name: str) -> None:
    example = vector(name)
    assert read_ddo(example).to_json() == example
    assert json.loads(read_ddo(example).model_dump_json()) == example


def test_the_workflow_example_says_what_the_specification_says() -> None:
    ddo = read_ddo(vector("specification-workflow"))
    workflow = read_workflow(ddo)
    assert [service.is_empty for service in ddo.service] == [False, True]
    assert ddo.service[0].index == 0
    assert [stage.stage_type for stage in workflow.ordered_stages] == ["Filtering", "Transformation"]
    assert workflow.input_dids == ("did:nv:12345", "did:nv:67890")
    assert workflow.transformation_dids == ("did:nv:abcde", "did:nv:999999")
    assert workflow.stages[1].input[0].previous_stage == 0
    assert workflow.published_stages == (1,)


def test_the_compute_example_says_what_the_specification_says() -> None:
    ddo = read_ddo(vector("specification-compute-service"))
    service = ddo.compute_service(2)
    compute = read_compute_service(service)
    assert (compute.price, compute.timeout) == (10, 86400)
    assert [server.server_id for server in compute.servers] == ["1", "2"]
    assert [server.server_type for server in compute.servers] == ["xlsize", "medium"]
    assert compute.servers[0].price == 5 * 10**18
    assert compute.servers[0].memory_bytes == 128 * 10**9
    assert compute.policy.allows_any
    template = compute.service_agreement_template
    assert template is not None
    assert [condition.name for condition in template.conditions] == ["lockReward", "execCompute", "escrowReward"]
    assert template.condition("releaseReward") == template.conditions[2]
    assert template.condition("serviceExecution") == template.conditions[1]


def test_the_agreement_template_is_found_in_all_three_places_that_documents_use() -> None:
    template = {"contractName": "ServiceExecutionTemplate"}
    places: list[dict[str, object]] = [
        {"attributes": {"main": {"serviceAgreementTemplate": template}}},
        {"attributes": {"main": {}, "serviceAgreementTemplate": template}},
        {"attributes": {"main": {}}, "serviceAgreementTemplate": template},
    ]
    for place in places:
        service = Service.read({"type": "compute", **place})
        assert read_compute_service(service).service_agreement_template is not None


@pytest.mark.parametrize("name", ["previousStage", "previousIndexStage"])
def test_both_names_of_the_previous_stage_are_read(name: str) -> None:
    workflow = Workflow.read({"stages": [{"index": 1, "input": [{"index": 0, name: 0}]}]})
    assert workflow.stages[0].input[0].previous_stage == 0


@pytest.mark.parametrize("member", ["index", "serviceDefinitionId"])
@pytest.mark.parametrize("value", [2, "2"])
def test_service_indices_are_read_in_every_form(member: str, value: object) -> None:
    assert read_ddo({"service": [{member: value, "type": "compute"}]}).service_at(2).type == "compute"


@pytest.mark.parametrize("value", [True, -1, "-1", 1.5, "two", "", 2**32, "²"])
def test_an_index_that_is_not_a_small_whole_number_is_refused_with_its_pointer(value: object) -> None:
    with pytest.raises(InsituError) as caught:
        read_ddo({"service": [{}, {"index": value}]})
    assert caught.value.code == "InvalidDocument"
    assert caught.value.problems[0].pointer == "/service/1/index"


@given(json_objects)
def test_unknown_members_survive_wherever_they_stand(extra: dict[str, object]) -> None:
    document = dataset_ddo().to_json()
    document["x"] = extra
    document["service"][1]["attributes"]["main"]["provider"]["x"] = extra
    assert read_ddo(document).to_json() == document


@given(mutated(dataset_ddo().to_json()) | mutated(workflow_ddo().to_json()) | json_values)
def test_whatever_can_be_read_is_written_back_as_it_was(value: object) -> None:
    try:
        ddo = read_ddo(value)
    except InsituError as error:
        assert error.code == "InvalidDocument"
        return
    assert ddo.to_json() == value
    assert read_ddo(ddo.to_json()) == ddo
    assert json.loads(json.dumps(ddo.to_json())) == value


@given(st.data())
def test_reading_a_compute_service_raises_nothing_but_a_refusal(data: st.DataObject) -> None:
    main = data.draw(mutated(dataset_ddo().to_json()["service"][1]["attributes"]["main"]))
    try:
        assert ComputeService.read(main).to_json() == main
    except InsituError as error:
        assert error.code == "InvalidDocument"


def test_a_document_is_a_value_of_its_own() -> None:
    source = {"id": "did:nv:12", "service": [{"index": 0, "attributes": {"main": {"a": [1]}}}]}
    ddo = read_ddo(source)
    source["service"] = []
    ddo.to_json()["service"][0]["attributes"]["main"]["a"].append(2)
    assert ddo.to_json()["service"][0]["attributes"]["main"] == {"a": [1]}
    assert ddo == read_ddo(ddo.to_json())
    assert hash(ddo) == hash(read_ddo(ddo.to_json()))


def test_a_document_made_in_code_is_written_with_the_present_names() -> None:
    workflow = Workflow.read({"stages": [{"index": 0, "input": [{"index": 0, "previousIndexStage": 1}]}]})
    changed = workflow.stages[0].input[0].model_copy(update={"previous_stage": 2})
    assert changed.to_json() == {"index": 0, "previousStage": 2}
    assert Ddo(id="did:nv:1").to_json()["id"] == "did:nv:1"


def test_members_can_be_replaced_and_removed() -> None:
    ddo = read_ddo({"id": "did:nv:1", "created": "x", "more": 1})
    assert ddo.with_members(id="did:nv:2", created=None).to_json() == {"id": "did:nv:2", "more": 1}


def test_nesting_without_end_is_refused() -> None:
    deep: object = {}
    for _ in range(500):
        deep = {"a": deep}
    with pytest.raises(InsituError, match="deeper"):
        read_ddo(deep)


@pytest.mark.parametrize("value", [{"id": "\ud800"}, {"\udfff": 1}, {"x": float("nan")}, {"x": float("inf")}, {1: 2}])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(InsituError) as caught:
        read_ddo(value)
    assert caught.value.code == "InvalidDocument"
