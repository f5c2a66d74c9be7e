"""Documents of 2019 to 2023: which software wrote them, and what is proved if urls were encrypted after hashing."""

from copy import deepcopy
from typing import Any

import pytest

from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.document_verification import verify_document
from insitu.domain.errors import InsituError
from insitu.domain.published_rules import DID_RULES, MAIN_RULES
from insitu.domain.signatures import personal_digest
from tests.domain.documents import OWNER

MAIN: dict[str, Any] = {
    "name": "Tides of the northern coast",
    "type": "dataset",
    "author": "Harbour office",
    "files": [{"index": 0, "contentType": "text/csv", "url": "https://harbour.example/tides.csv"}],
}
PROVENANCE: dict[str, Any] = {"service": "provenance"}


def older(
    main_rule: str, did_rule: str, *, signs: str = "{did}", method: str = "nv", provenance: dict[str, Any] = PROVENANCE
) -> dict[str, Any]:
    """A document as older software wrote it: hashed with the urls of its files and published without them."""
    checksums = {"0": MAIN_RULES[main_rule](MAIN).hex(), "1": MAIN_RULES[main_rule](provenance).hex()}
    digits = DID_RULES[did_rule](checksums, OWNER.address)
    did = f"did:{method}:{digits}"
    signature = OWNER.sign(personal_digest(signs.format(did=did, digits=digits).encode()))
    public = deepcopy(MAIN)
    del public["files"][0]["url"]
    return {
        "id": did,
        "proof": {"creator": OWNER.address, "checksum": checksums, "signatureValue": signature.hex()},
        "service": [
            {"index": 0, "type": "metadata", "attributes": {"main": public, "encryptedFiles": "0x1234"}},
            {"index": 1, "type": "provenance", "attributes": {"main": provenance}},
        ],
    }


def java() -> dict[str, Any]:
    return older("sdk-java", "metadata-spec", provenance={"files": [], **PROVENANCE})


def read(document: dict[str, Any]) -> Ddo:
    return read_ddo(document)


@pytest.mark.parametrize(
    ("document", "written_by"),
    [
        (java(), ("sdk-java",)),
        (older("sdk-java", "sdk-java", provenance={"files": [], **PROVENANCE}), ("sdk-java",)),
        (older("sdk-py", "metadata-spec"), ("sdk-py", "metadata-spec")),
        (older("sdk-py", "insitu"), ("sdk-py",)),
        (older("sdk-js", "sdk-js", signs="{digits}"), ("sdk-js",)),
    ],
)
def test_a_rule_bears_the_name_of_the_software_that_wrote_the_document(
    document: dict[str, Any], written_by: tuple[str, ...]
) -> None:
    found = verify_document(read(document))
    assert found.written_by == written_by
    assert {found.did_rule, found.services["1"], found.signature_rule} == {written_by[0]}


def test_a_service_that_was_hashed_with_its_urls_is_unproved_and_the_rest_holds() -> None:
    found = verify_document(read(java()))
    assert (found.verdict, found.without_urls, found.holds) == ("unproved", ("0",), False)


def test_the_publishers_main_proves_the_service_that_was_hashed_with_its_urls() -> None:
    found = verify_document(read(java()), MAIN)
    assert found.verdict == "holds"
    assert found.services == {"0": "sdk-java", "1": "sdk-java"}


def test_another_main_proves_nothing() -> None:
    other = deepcopy(MAIN)
    other["files"][0]["url"] = "https://elsewhere.example/tides.csv"
    assert verify_document(read(java()), other).verdict == "unproved"


@pytest.mark.parametrize("change", [{"author": "Somebody else"}, {"files": []}, {"files": None}, {"price": "1"}])
def test_a_main_that_differs_from_the_published_one_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InsituError, match="more than its URLs"):
        verify_document(read(java()), MAIN | change)


def test_a_published_main_that_was_changed_is_not_saved_by_the_true_one() -> None:
    document = java()
    document["service"][0]["attributes"]["main"]["author"] = "A liar"
    with pytest.raises(InsituError, match="more than its URLs"):
        verify_document(read(document), MAIN)


@pytest.mark.parametrize("part", ["signature", "another service", "did"])
def test_a_document_with_another_fault_is_not_to_be_relied_on(part: str) -> None:
    document = java()
    if part == "signature":
        document["proof"]["signatureValue"] = "0x" + "11" * 64 + "1b"
    elif part == "did":
        document["id"] = "did:nv:" + "00" * 32
    else:
        document["service"][1]["attributes"]["main"]["service"] = "other"
    assert verify_document(read(document)).verdict == "broken"


def test_a_service_with_all_its_urls_has_no_excuse() -> None:
    document = java()
    document["service"][0]["attributes"]["main"] = MAIN | {"author": "A liar"}
    assert verify_document(read(document)).verdict == "broken"


def test_the_method_of_ocean_protocol_is_read_and_named() -> None:
    found = verify_document(read(older("sdk-py", "metadata-spec", method="op")))
    assert found.method == "op"
    assert found.did.startswith("did:op:")
    assert found.verdict == "unproved"


@pytest.mark.parametrize("did", ["did:ocn:12", "op:12", "did:op:", "did:op:xyz", ""])
def test_what_is_not_a_did_of_any_generation_is_refused(did: str) -> None:
    with pytest.raises(InsituError) as caught:
        verify_document(read(java() | {"id": did}))
    assert caught.value.code == "InvalidDid"
