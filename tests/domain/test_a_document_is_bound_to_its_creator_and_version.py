"""Checksums, DID, on-chain checksum and signature: what each of them covers, and what a change breaks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.assembly import assemble_ddo, revise_ddo
from insitu.domain.ddo import Ddo, read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.integrity import (
    bound_part,
    creator_of,
    onchain_checksum,
    origin_of,
    service_checksums,
    signed_proof,
    verify_checksum,
)
from insitu.domain.signatures import recover_address
from tests.domain.documents import (
    CREATED,
    DATASET,
    OTHER_OWNER,
    OWNER,
    STRANGER,
    compute_entry,
    dataset_ddo,
    metadata_entry,
    published,
    unsigned,
    vector,
)
from tests.domain.strategies import mutated


def verify_creator_signed(ddo: Ddo) -> Address:
    creator = creator_of(ddo)
    if signer_of(ddo) != creator:
        raise InsituError("SignatureMismatch")
    return creator


def signer_of(ddo: Ddo) -> Address:
    return recover_address(*signed_proof(ddo)[:2])


def changed(path: list[Any], value: object) -> Ddo:
    """The data set with one member replaced."""
    document = dataset_ddo().to_json()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return read_ddo(document)


def test_a_published_document_proves_its_creator() -> None:
    ddo = dataset_ddo()
    assert verify_creator_signed(ddo) == OWNER.address
    verify_checksum(ddo, "0x" + onchain_checksum(ddo).upper())


@pytest.mark.parametrize("case", vector("documents"), ids=lambda case: case["name"])
def test_documents_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    ddo = read_ddo(case["document"])
    assert onchain_checksum(ddo) == case["checksum"]
    assert creator_of(ddo) == case["creator"] == signer_of(ddo)
    rebuilt = assemble_ddo(ddo.to_json()["service"], case["creator"], ddo.created or "")
    assert (str(rebuilt.did), rebuilt.seed.hex()) == (ddo.id, case["seed"])
    assert rebuilt.digest.hex() == case["digest"]


@pytest.mark.parametrize(
    "path",
    [
        ["service", 0, "attributes", "main", "name"],
        ["service", 1, "attributes", "main", "price"],
        ["proof", "checksum", "0"],
        ["proof", "creator"],
        ["id"],
    ],
)
def test_a_change_of_what_the_did_commits_to_is_refused(path: list[Any]) -> None:
    value = {"id": "did:nv:" + "0" * 64, "creator": OTHER_OWNER.address}.get(path[-1], "ab" * 32)
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        creator_of(changed(path, value))


@pytest.mark.parametrize(
    "path",
    [
        ["created"],
        ["publicKey", 0, "owner"],
        ["service", 0, "serviceEndpoint"],
        ["service", 0, "attributes", "additionalInformation", "description"],
        ["service", 1, "templateId"],
        ["service", 0, "attributes", "encryptedFiles"],
    ],
)
def test_a_change_of_anything_else_is_another_version_that_nobody_signed(path: list[Any]) -> None:
    ddo = changed(path, "https://elsewhere.example/")
    assert creator_of(ddo) == OWNER.address
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        verify_checksum(ddo, onchain_checksum(dataset_ddo()))
    with pytest.raises(InsituError, match="SignatureMismatch"):
        verify_creator_signed(ddo)


def test_curation_and_proof_may_change_without_a_new_version() -> None:
    ddo = changed(["service", 0, "attributes", "curation"], {"rating": 1, "numVotes": 3})
    assert onchain_checksum(ddo) == onchain_checksum(dataset_ddo())
    assert verify_creator_signed(ddo) == OWNER.address
    assert onchain_checksum(changed(["curation"], {"isListed": True})) == onchain_checksum(dataset_ddo())
    assert "proof" not in bound_part(ddo.to_json())


def test_a_strangers_signature_does_not_count() -> None:
    draft = unsigned([metadata_entry(DATASET), compute_entry()])
    forged = draft.signed(STRANGER.sign(draft.digest))
    with pytest.raises(InsituError, match="SignatureMismatch"):
        verify_creator_signed(forged)


def test_publishing_again_gives_the_same_did() -> None:
    entries = [metadata_entry(DATASET), compute_entry()]
    again = assemble_ddo(entries, OWNER.address, "2027-01-01T00:00:00Z")
    assert again.did == unsigned(entries).did
    assert str(again.did) in again.document["service"][0]["serviceEndpoint"]


def test_main_never_holds_the_did_so_an_endpoint_may() -> None:
    ddo = dataset_ddo()
    assert ddo.id is not None
    assert ddo.id not in str([service.main for service in ddo.service])


def test_a_revision_keeps_the_did_and_changes_the_version() -> None:
    ddo = dataset_ddo()
    entries = ddo.to_json()["service"]
    entries[1]["serviceEndpoint"] = "https://new.example/exec"
    draft = revise_ddo(ddo, entries, OTHER_OWNER.address, CREATED)
    revised = draft.signed(OTHER_OWNER.sign(draft.digest))
    assert revised.id == ddo.id
    assert draft.checksum == onchain_checksum(revised) != onchain_checksum(ddo)
    assert signer_of(revised) == OTHER_OWNER.address
    assert creator_of(revised) == OWNER.address


def test_a_revision_that_changes_main_keeps_the_did_by_its_origin() -> None:
    ddo = dataset_ddo()
    entries = ddo.to_json()["service"]
    entries[0]["attributes"]["main"]["name"] = "Other"
    revised = read_ddo(revise_ddo(ddo, entries, OWNER.address, CREATED).document)
    assert (creator_of(revised), revised.id) == (OWNER.address, ddo.id)
    assert origin_of(revised) == service_checksums(ddo) != service_checksums(revised)
    entries[0]["attributes"]["main"]["name"] = ddo.main["name"]
    back = read_ddo(revise_ddo(revised, entries, OWNER.address, CREATED).document)
    assert back.proof is not None
    assert back.proof.origin is None
    assert creator_of(back) == OWNER.address


@pytest.mark.parametrize(
    "entries", [[{"type": "metadata"}], [{"index": 0}], [{"index": "0", "attributes": {"main": {}}}]]
)
def test_a_service_without_index_or_main_cannot_be_assembled(entries: list[dict[str, object]]) -> None:
    with pytest.raises(InsituError) as caught:
        assemble_ddo(entries, OWNER.address, CREATED)
    assert caught.value.pointer == "/service/0"


def test_two_services_of_one_index_cannot_be_assembled_or_hashed() -> None:
    entry = metadata_entry(DATASET)
    with pytest.raises(InsituError, match="two services"):
        assemble_ddo([entry, entry], OWNER.address, CREATED)
    with pytest.raises(InsituError, match="two services"):
        service_checksums(read_ddo({"service": [entry, entry]}))


@pytest.mark.slow
@given(st.data())
def test_integrity_checks_raise_nothing_but_a_refusal(data: st.DataObject) -> None:
    document = data.draw(mutated(published([metadata_entry(DATASET), compute_entry()]).to_json()))
    try:
        assert verify_creator_signed(read_ddo(document)) == OWNER.address
    except InsituError as error:
        refusals = {"InvalidDocument", "InvalidDid", "InvalidId", "ChecksumMismatch", "SignatureMismatch"}
        assert error.code in refusals | {"VersionNotAllowed"}
