"""The asset that an execution makes: the consumer names it, the system says what it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.assembly import assemble_ddo
from insitu.domain.asset import asset_main
from insitu.domain.ids import workflow_execution_id
from insitu.domain.result import Origin, PublishedFile, result_service
from insitu.domain.validation import validate_ddo
from tests.domain.documents import CONSUMER, CREATED, PROVIDER, SHA256
from tests.domain.strategies import canonical_values

AGREEMENT = "ab" * 32
ORIGIN = Origin(
    agreement_id=AGREEMENT,  # type: ignore[arg-type]
    execution_id=workflow_execution_id(AGREEMENT, 0),  # type: ignore[arg-type]
    consumer=CONSUMER.address,
    workflow_did="did:nv:" + "4" * 64,
    workflow_name="Delays by weather",
    input_dids=("did:nv:" + "2" * 64,),
    algorithm_dids=("did:nv:" + "7" * 64,),
)
FILES = (PublishedFile(0, "text/csv", 12, SHA256), PublishedFile(1, "image/png", 3456, SHA256))
ENDPOINT = "http://127.0.0.1:8030/api/v1/metadata/assets/ddo/{did}"


def result(described: Any) -> dict[str, Any]:
    return result_service(described, ORIGIN, FILES, ENDPOINT, CREATED)


ADDITIONAL = {"description": "By hour", "tags": ["x"]}
NAMED = {"name": "Table", "author": "Ann"}


@pytest.mark.parametrize("described", [NAMED | ADDITIONAL, {"main": NAMED, "additionalInformation": ADDITIONAL}])
def test_the_consumers_words_are_taken_in_both_forms(described: dict[str, Any]) -> None:
    attributes = result(described)["attributes"]
    assert (attributes["main"]["name"], attributes["main"]["author"]) == ("Table", "Ann")
    assert attributes["additionalInformation"] == ADDITIONAL


def test_without_words_the_result_is_named_after_its_workflow() -> None:
    main = result({})["attributes"]["main"]
    assert (main["name"], main["author"]) == ("Result of Delays by weather", CONSUMER.address)


def test_public_files_have_no_name() -> None:
    files = result({})["attributes"]["main"]["files"]
    assert [set(file) for file in files] == [{"index", "contentType", "contentLength", "checksum", "checksumType"}] * 2


descriptions = st.dictionaries(st.text(max_size=5) | st.sampled_from(["name", "author", "license"]), canonical_values)


@pytest.mark.slow
@given(descriptions | descriptions.map(lambda main: {"main": main}))
def test_a_result_of_any_description_is_a_valid_asset_that_names_its_origin(described: dict[str, Any]) -> None:
    service = result(described)
    main = service["attributes"]["main"]
    assert main["type"] == "dataset"
    assert main["price"] == "0"
    assert main["compute"]["serviceAgreementId"] == AGREEMENT
    assert main["files"][0]["checksum"] == SHA256
    draft = assemble_ddo([service], PROVIDER.address, CREATED)
    validate_ddo(draft.signed(PROVIDER.sign(draft.digest)), without_compute=True)


def test_publishing_the_same_result_again_makes_nothing_new() -> None:
    drafts = [assemble_ddo([result({"name": "T"})], PROVIDER.address, CREATED) for _ in range(2)]
    assert drafts[0] == drafts[1]


def test_what_the_metadata_specification_requires_is_filled_in() -> None:
    main = asset_main({"name": "Flights", "price": "7"}, CREATED)
    assert (main["price"], main["license"], main["dateCreated"]) == ("7", "No License Specified", CREATED)
