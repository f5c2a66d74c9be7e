"""A DID commits to every service's main and to its creator; older rules are recognised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.canonical import keccak256
from insitu.domain.did import Did, derive_did, did_seed, hash_did, is_complete_did
from insitu.domain.document_verification import verify_document
from insitu.domain.errors import InsituError
from insitu.domain.published_rules import OWN_RULE, did_rules, main_rules
from tests.domain.documents import OTHER_OWNER, OWNER, dataset_ddo, vector
from tests.domain.strategies import hex_digits

CASES = vector("did")


@given(hex_digits)
def test_a_did_reads_back(digits: str) -> None:
    did = Did.parse(f"did:nv:{digits}")
    assert Did.parse(str(did)) == did == Did.read(str(did)) == Did.from_hex("0x" + digits.upper())
    assert bytes(did).hex() == digits


@given(st.text(max_size=80))
def test_no_text_but_a_did_is_one(text: str) -> None:
    if is_complete_did(text):
        assert len(text) == 71
        return
    with pytest.raises(InsituError, match="InvalidDid"):
        Did.parse(text)


@pytest.mark.parametrize("text", CASES["valid"])
def test_valid_dids_are_accepted(text: str) -> None:
    assert Did.parse(text).is_complete


@pytest.mark.parametrize("text", CASES["invalid"])
def test_invalid_dids_are_refused(text: str) -> None:
    assert not is_complete_did(text)
    with pytest.raises(InsituError, match="InvalidDid"):
        Did.parse(text)


@pytest.mark.parametrize("text", ["did:nv:12345", "did:nv:abcde", "did:nv:0"])
def test_short_dids_of_old_documents_are_read_but_have_no_bytes(text: str) -> None:
    did = Did.read(text)
    assert str(did) == text
    assert not did.is_complete
    with pytest.raises(InsituError, match="too short"):
        bytes(did)


@pytest.mark.parametrize("case", CASES["derived"])
def test_derivation_is_that_of_the_vectors(case: dict[str, object]) -> None:
    checksums, creator = case["checksums"], case["creator"]
    assert isinstance(checksums, dict)
    assert did_seed(checksums).hex() == case["seed"]
    assert str(derive_did(checksums, creator)) == case["did"]


def test_the_hash_is_that_of_the_contract() -> None:
    seed = bytes(range(32))
    assert bytes(hash_did(seed, OWNER.address)) == keccak256(seed + bytes(12) + bytes.fromhex(OWNER.address[2:]))


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(InsituError, match="32 bytes"):
        hash_did(b"short", OWNER.address)


def test_nobody_else_can_derive_the_same_did() -> None:
    assert dataset_ddo(creator=OWNER).id != dataset_ddo(creator=OTHER_OWNER).id


@pytest.mark.parametrize("case", CASES["published"])
def test_published_derivations_are_recognised_by_their_rule(case: dict[str, object]) -> None:
    checksums = case["checksums"]
    assert isinstance(checksums, dict)
    assert next(iter(did_rules(str(case["digits"]), checksums, OWNER.address)), None) == case["rule"]


@pytest.mark.parametrize("case", CASES["mains"])
def test_published_checksums_are_recognised_by_their_rule(case: dict[str, object]) -> None:
    main = case["main"]
    assert isinstance(main, dict)
    assert next(iter(main_rules(main, str(case["checksum"]))), None) == case["rule"]


def test_our_own_document_fits_our_own_rules_in_all_parts() -> None:
    verification = verify_document(dataset_ddo())
    assert verification.is_own
    assert verification.holds
    assert verification.services == {"0": OWN_RULE, "4": OWN_RULE}
    assert verification.signer == OWNER.address


def test_a_changed_main_fits_no_rule() -> None:
    document = dataset_ddo().to_json()
    document["service"][1]["attributes"]["main"]["price"] = "1"
    verification = verify_document(dataset_ddo().read(document))
    assert verification.services == {"0": OWN_RULE, "4": None}
    assert verification.signature_rule is None
    assert not verification.holds


@pytest.mark.parametrize(("rule", "software"), [("did", "sdk-py"), ("short-did", "sdk-js")])
def test_the_signatures_of_older_documents_are_recognised(rule: str, software: str) -> None:
    from insitu.domain.published_rules import SIGNATURE_RULES

    ddo = dataset_ddo()
    signature = "0x" + OWNER.sign(SIGNATURE_RULES[rule](ddo)).hex()
    document = ddo.to_json()
    document["proof"]["signatureValue"] = signature
    verification = verify_document(ddo.read(document))
    assert verification.signature_rule == software
    assert verification.holds
    assert not verification.is_own
