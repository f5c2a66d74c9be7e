"""What a new version of a document may change, and who signs one that is not registered yet (ADR 0120)."""

from typing import Any

import pytest

from insitu.domain.assembly import revise_ddo
from insitu.domain.ddo import read_ddo
from insitu.domain.document_verification import verify_document
from insitu.domain.errors import InsituError
from insitu.domain.integrity import creator_of, onchain_checksum, signed_proof
from insitu.domain.signatures import recover_address
from insitu.domain.versions import require_allowed_change, require_number
from tests.domain.documents import CONTRACT, CREATED, DATASET, OWNER, compute_entry, metadata_entry, published, vector

VECTORS = vector("versions")


def judge(case: dict[str, Any]) -> None:
    """Accept a version as a catalogue does, which knows what is registered and the version before."""
    ddo = read_ddo(case["document"])
    creator, checksums = creator_of(ddo), {known["checksum"] for known in case["registered"]}
    if onchain_checksum(ddo) not in checksums and recover_address(*signed_proof(ddo)[:2]) != (case["owner"] or creator):
        raise InsituError("NotOwner" if case["owner"] else "SignatureMismatch")
    require_number(ddo, case["number"])
    if case["before"] is not None:
        require_allowed_change(read_ddo(case["before"]), ddo, VECTORS["templates"])


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_versions_are_judged_as_the_vectors_say(case: dict[str, Any]) -> None:
    if case["code"] is None:
        judge(case)
        return
    with pytest.raises(InsituError) as caught:
        judge(case)
    assert (caught.value.code, caught.value.pointer) == (case["code"], case["pointer"])


def test_a_service_moves_only_to_an_approved_template() -> None:
    before = published([metadata_entry(DATASET), compute_entry()])
    moved = before.to_json()
    moved["service"][1]["templateId"] = "0x" + "ab" * 20
    with pytest.raises(InsituError) as caught:
        require_allowed_change(before, read_ddo(moved), [CONTRACT])
    assert (caught.value.code, caught.value.pointer) == ("VersionNotAllowed", "/service/1/templateId")
    require_allowed_change(before, read_ddo(moved), [CONTRACT, "0x" + "AB" * 20])
    require_allowed_change(read_ddo(moved), read_ddo(moved), [CONTRACT])


def test_a_version_with_an_origin_still_verifies_as_a_document() -> None:
    before = published([metadata_entry(DATASET), compute_entry()])
    entries = before.to_json()["service"]
    entries[1]["attributes"]["main"]["price"] = "12"
    draft = revise_ddo(before, entries, OWNER.address, CREATED)
    assert verify_document(draft.signed(OWNER.sign(draft.digest))).holds
