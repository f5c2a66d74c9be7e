"""Strict validation: a good document passes, each broken rule is named by pointer and code, nothing else escapes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.ddo import read_ddo
from insitu.domain.errors import ERRORS, InsituError, Violation
from insitu.domain.validation import is_http_url, validate_ddo
from tests.domain.documents import (
    ALGORITHM,
    CONTAINER,
    CONTRACT,
    DATASET,
    SERVER,
    SHA256,
    algorithm_ddo,
    compute_entry,
    compute_main,
    dataset_ddo,
    metadata_entry,
    published,
    stage,
    vector,
    workflow_ddo,
)
from tests.domain.strategies import json_values, mutated

MAIN = "/service/1/attributes/main"
ENVIRONMENT = f"{MAIN}/provider/environment"
TEMPLATE = f"{MAIN}/serviceAgreementTemplate"


def problems_of(document: object, **options: bool) -> set[tuple[str, str]]:
    with pytest.raises(InsituError) as caught:
        validate_ddo(read_ddo(document), **options)
    return {(problem.pointer, problem.code) for problem in caught.value.problems}


def put(document: Any, pointer: str, value: object) -> Any:
    *path, last = pointer.split("/")[1:]
    place = document
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return document


def take(document: Any, pointer: str) -> Any:
    *path, last = pointer.split("/")[1:]
    place = document
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    del place[last]
    return document


@pytest.mark.parametrize("make", [dataset_ddo, algorithm_ddo, workflow_ddo])
def test_a_good_document_passes(make: Callable[[], Any]) -> None:
    validate_ddo(make())


def test_the_fragments_of_the_specification_read_but_are_not_full_documents() -> None:
    for name in ("specification-workflow", "specification-compute-service"):
        found = problems_of(vector(name))
        assert ("/id", "InvalidDid") in found
        assert ("/proof", "Required") in found
    assert ("/service/1", "EmptyService") in problems_of(vector("specification-workflow"))


@pytest.mark.parametrize(
    "pointer",
    [
        "/@context",
        "/created",
        "/publicKey",
        "/proof",
        "/proof/type",
        "/proof/checksum",
        "/service/0/attributes/main/author",
        "/service/0/attributes/main/license",
        "/service/0/attributes/main/price",
        "/service/0/attributes/main/files",
        "/service/0/attributes/main/dateCreated",
        "/service/0/attributes/main/files/0/contentType",
        "/service/0/attributes/main/files/0/index",
        "/service/1/type",
        "/service/1/serviceEndpoint",
        f"{MAIN}/price",
        f"{MAIN}/timeout",
        f"{MAIN}/serviceAgreementTemplate",
        f"{ENVIRONMENT}/supportedServers",
        f"{ENVIRONMENT}/supportedServers/0/serverId",
        f"{ENVIRONMENT}/supportedServers/0/maxExecutionTime",
        f"{ENVIRONMENT}/supportedContainers/0/image",
        f"{ENVIRONMENT}/supportedContainers/0/checksum",
        f"{TEMPLATE}/contractAddress",
        f"{TEMPLATE}/chainId",
        f"{TEMPLATE}/fulfillmentOrder",
        f"{TEMPLATE}/conditionDependency",
        f"{TEMPLATE}/conditions",
        f"{TEMPLATE}/conditions/0/conditionKey",
        f"{TEMPLATE}/conditions/1/parameters",
        f"{TEMPLATE}/conditions/1/events",
        f"{TEMPLATE}/conditions/2/events/0/handler",
    ],
)
def test_a_missing_member_is_named(pointer: str) -> None:
    assert pointer in {where for where, _ in problems_of(take(dataset_ddo().to_json(), pointer))}


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/id", "did:nv:12345", "InvalidDid"),
        ("/created", "2019-04-09T19:02:11+02:00", "WrongFormat"),
        ("/created", "2019-02-30T00:00:00Z", "WrongFormat"),
        ("/publicKey/0/owner", "0x12", "WrongFormat"),
        ("/proof/creator", "me", "WrongFormat"),
        ("/service/1/index", 0, "Duplicate"),
        ("/service/1/serviceEndpoint", "ftp://x/", "WrongFormat"),
        ("/service/0/attributes/main/price", "-1", "WrongFormat"),
        ("/service/0/attributes/main/files/0/url", "https://secret.example/", "UrlNotAllowed"),
        ("/service/0/attributes/main/files/0/name", "../../etc/passwd", "UnsafeName"),
        ("/service/0/attributes/main/files/0/checksum", "md5:abc", "WrongFormat"),
        (f"{MAIN}/timeout", 0, "OutOfRange"),
        (f"{MAIN}/timeout", 400 * 86400, "OutOfRange"),
        (f"{MAIN}/price", "1.5", "WrongFormat"),
        (f"{ENVIRONMENT}/supportedServers/0/cpu", "many", "WrongFormat"),
        (f"{ENVIRONMENT}/supportedServers/0/memory", "0gb", "OutOfRange"),
        (f"{ENVIRONMENT}/supportedServers/0/price", "-5", "WrongFormat"),
        (f"{ENVIRONMENT}/supportedContainers/0/checksum", "latest", "WrongFormat"),
        (f"{MAIN}/policy/algorithms", [{"did": "did:nv:1", "checksum": SHA256}], "InvalidDid"),
        (f"{MAIN}/policy/publishers", ["nobody"], "WrongFormat"),
        (f"{MAIN}/policy/output", {"maxBytes": -1}, "WrongType"),
        (f"{MAIN}/policy/output", {"types": ["csv", "text/csv"]}, "WrongFormat"),
        (f"{TEMPLATE}/contractName", "EscrowComputeExecutionTemplate", "WrongValue"),
        (f"{TEMPLATE}/contractAddress", "0x" + "1" * 40, "WrongValue"),
        (f"{TEMPLATE}/fulfillmentOperator", 1, "WrongValue"),
        (f"{TEMPLATE}/fulfillmentOrder", ["execCompute.fulfill"], "WrongValue"),
        (f"{TEMPLATE}/conditions/0/name", "escrowReward", "WrongValue"),
        (f"{TEMPLATE}/conditions/0/conditionKey", "0x" + "0" * 64, "WrongValue"),
        (f"{TEMPLATE}/conditions/1/events/1/handler/moduleName", "os", "HandlerNotAllowed"),
        (f"{TEMPLATE}/conditions/1/events/1/handler/version", "0.2", "HandlerNotAllowed"),
        (f"{TEMPLATE}/conditions/2/timeout", 60, "OutOfRange"),
        (f"{TEMPLATE}/conditions/1/timeout", 86401, "OutOfRange"),
    ],
)
def test_a_wrong_member_is_named_with_its_rule(pointer: str, value: object, code: str) -> None:
    found = problems_of(put(dataset_ddo().to_json(), pointer, value))
    assert any(where.startswith(pointer.rsplit("/", 1)[0]) and rule == code for where, rule in found), found


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        (f"{TEMPLATE}/conditions/0/timelock", 5, "TimelockNotSupported"),
        (f"{MAIN}/policy/review", "manual", "ManualReviewNotSupported"),
    ],
)
def test_a_single_rule_of_the_error_table_is_the_code_of_the_error(pointer: str, value: object, code: str) -> None:
    with pytest.raises(InsituError) as caught:
        validate_ddo(read_ddo(put(dataset_ddo().to_json(), pointer, value)))
    assert caught.value.code == code
    assert caught.value.pointer == pointer


def test_logs_after_review_are_refused_in_a_new_document_and_read_in_an_old_one() -> None:
    ddo = read_ddo(put(dataset_ddo().to_json(), f"{MAIN}/policy/logs", "after_review"))
    validate_ddo(ddo)
    with pytest.raises(InsituError, match="ManualReviewNotSupported") as caught:
        validate_ddo(ddo, new=True)
    assert caught.value.pointer == f"{MAIN}/policy/logs"


@pytest.mark.parametrize(
    ("pointer", "value", "where"),
    [
        (f"{MAIN}/policy/algorithms", "all", f"{MAIN}/policy/algorithms"),
        (f"{MAIN}/policy/algorithms", {}, f"{MAIN}/policy/algorithms"),
        (f"{MAIN}/policy/algorithms", [{"did": "x"}], f"{MAIN}/policy/algorithms/0/checksum"),
        (f"{MAIN}/policy/logs", "yes", f"{MAIN}/policy/logs"),
        (f"{ENVIRONMENT}/supportedServers", [{"containerId": 5}], f"{ENVIRONMENT}/supportedServers/0/containerId"),
        ("/service/0/attributes/main/files/0/contentLength", [], "/service/0/attributes/main/files/0/contentLength"),
    ],
)
def test_pointers_name_places_of_the_document_and_nothing_else(pointer: str, value: object, where: str) -> None:
    found = {pointer for pointer, _ in problems_of(put(dataset_ddo().to_json(), pointer, value))}
    assert where in found
    assert not [pointer for pointer in found if "[" in pointer]


def test_the_aliases_of_the_specification_are_valid() -> None:
    document = dataset_ddo().to_json()
    put(document, f"{TEMPLATE}/conditions/1/name", "serviceExecution")
    put(document, f"{TEMPLATE}/conditions/2/name", "releaseReward")
    dependency = {"lockReward": [], "serviceExecution": [], "releaseReward": ["lockReward", "serviceExecution"]}
    put(document, f"{TEMPLATE}/conditionDependency", dependency)
    server = {name: value for name, value in SERVER.items() if name not in ("serverId", "serverType")}
    put(document, f"{ENVIRONMENT}/supportedServers", [{**server, "containerId": "2", "typeContainer": "medium"}])
    validate_ddo(read_ddo(document))


def test_the_template_of_the_service_is_the_contract_of_its_conditions() -> None:
    document = put(dataset_ddo().to_json(), "/service/1/templateId", "0x" + "1" * 40)
    assert problems_of(document) == {(f"{TEMPLATE}/contractAddress", "WrongValue")}
    validate_ddo(read_ddo(put(document, "/service/1/templateId", CONTRACT.lower())))


def test_a_data_set_without_a_compute_service_is_refused_unless_asked_for() -> None:
    ddo = published([metadata_entry(DATASET)])
    with pytest.raises(InsituError, match="NoComputeService"):
        validate_ddo(ddo)
    validate_ddo(ddo, without_compute=True)


def test_a_document_with_several_metadata_services_is_refused() -> None:
    second = {**metadata_entry(DATASET), "index": 1}
    assert ("/service", "Required") in problems_of(published([metadata_entry(DATASET), second]).to_json())


@pytest.mark.slow
def test_ten_thousand_stages_are_one_violation() -> None:
    many = [stage(i, [{"index": 0, "id": "did:nv:" + "a" * 64}], "did:nv:" + "b" * 64) for i in range(10_000)]
    with pytest.raises(InsituError, match="TooManyStages") as caught:
        validate_ddo(workflow_ddo({"stages": many}))
    assert caught.value.pointer == "/service/0/attributes/main/workflow/stages"


def test_a_document_that_is_too_large_is_refused() -> None:
    document = dataset_ddo().to_json()
    document["service"][0]["attributes"]["additionalInformation"]["description"] = "x" * 9 * 2**20
    with pytest.raises(InsituError, match="bytes"):
        validate_ddo(read_ddo(document))


def test_a_number_without_canonical_form_is_refused() -> None:
    document = dataset_ddo().to_json()
    document["service"][0]["attributes"]["additionalInformation"]["size"] = 2**60
    with pytest.raises(InsituError, match="write it as a string") as caught:
        validate_ddo(read_ddo(document))
    assert caught.value.pointer == "/service/0/attributes/additionalInformation/size"


def test_main_cannot_hold_the_did() -> None:
    document = dataset_ddo().to_json()
    document["service"][1]["attributes"]["main"]["of"] = document["id"]
    assert (MAIN, "DidInMain") in problems_of(document)


def test_servers_of_one_id_are_refused() -> None:
    main = compute_main()
    main["provider"]["environment"]["supportedServers"] = [SERVER, SERVER]
    document = published([metadata_entry(DATASET), compute_entry(main)]).to_json()
    assert (f"{ENVIRONMENT}/supportedServers/1/serverId", "Duplicate") in problems_of(document)


def test_without_containers_nothing_may_run_but_the_document_is_valid() -> None:
    main = compute_main()
    main["provider"]["environment"]["supportedContainers"] = []
    validate_ddo(published([metadata_entry(DATASET), compute_entry(main)]))


def test_any_algorithm_and_trusted_publishers_contradict_each_other() -> None:
    policy = {"algorithms": "any", "publishers": ["0x" + "1" * 40]}
    document = published([metadata_entry(DATASET), compute_entry(compute_main(policy=policy))]).to_json()
    assert (f"{MAIN}/policy/algorithms", "Contradiction") in problems_of(document)


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"files": []}, "files", "Required"),
        ({"files": [{"index": 0, "name": "a.py", "contentType": "text/plain"}]}, "files/0/checksum", "Required"),
        ({"algorithm": {"entrypoint": ""}, "files": [{**ALGORITHM["files"][0]}]}, "algorithm/entrypoint", "Required"),  # type: ignore[index]
        ({"algorithm": {"entrypoint": "sh 'open"}}, "algorithm/entrypoint", "WrongFormat"),
        ({"algorithm": []}, "algorithm", "WrongType"),
    ],
)
def test_an_algorithm_without_what_a_run_needs_is_refused(change: dict[str, Any], where: str, code: str) -> None:
    document = published([metadata_entry(ALGORITHM | change)]).to_json()
    assert (f"/service/0/attributes/main/{where}", code) in problems_of(document)


def test_an_entrypoint_script_needs_no_declared_entrypoint() -> None:
    files = [{"index": 0, "name": "compute-entrypoint.sh", "contentType": "text/x-sh", "checksum": SHA256}]
    main = ALGORITHM | {"files": files, "algorithm": {"requirements": {"container": CONTAINER}}}
    validate_ddo(published([metadata_entry(main)]))


@given(mutated(dataset_ddo().to_json()) | mutated(workflow_ddo().to_json()) | mutated(algorithm_ddo().to_json()))
def test_validation_raises_nothing_but_a_refusal_with_pointers(document: Any) -> None:
    check(document)


@given(json_values)
def test_validation_of_any_json_raises_nothing_but_a_refusal(document: Any) -> None:
    check(document)


@given(st.integers(0, 4), st.lists(st.text(max_size=4), max_size=4), json_values)
def test_validation_of_services_of_any_shape_raises_nothing_but_a_refusal(index: int, types: Any, main: Any) -> None:
    entries = [{"index": index, "type": kind, "attributes": {"main": main}} for kind in (*types, "metadata", "compute")]
    check({"service": entries})


def check(document: Any) -> None:
    try:
        validate_ddo(read_ddo(document))
    except InsituError as error:
        assert error.code in ERRORS
        assert error.problems or error.pointer is not None
        assert all(isinstance(problem, Violation) and problem.message for problem in error.problems)
        assert all(problem.pointer == "" or problem.pointer.startswith("/") for problem in error.problems)
        assert len(error.problems) <= 100 or error.code == "InvalidDocument"


@pytest.mark.parametrize("url", ["https://a.example/x", "http://127.0.0.1:8030/api", "http://[::1]:8030/"])
def test_an_endpoint_is_an_absolute_url(url: str) -> None:
    assert is_http_url(url)


@pytest.mark.parametrize(
    "url", ["", None, "a", "/x", "ftp://a/", "http://", "http://u:p@a/", "http://a b/", "http://a:99999/", "http://[x/"]
)
def test_other_texts_are_not_endpoints(url: str | None) -> None:
    assert not is_http_url(url)
