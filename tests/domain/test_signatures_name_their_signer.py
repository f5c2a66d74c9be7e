"""Recovery of addresses: exactly the signer, in one canonical form, and nothing but refusals otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.canonical import keccak256, sha256
from insitu.domain.errors import InsituError
from insitu.domain.signatures import account_signature, complete_halves, es256k_digest, personal_digest, recover_address
from tests.domain.documents import OWNER, Account, vector

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = keccak256(b"insitu")


@pytest.mark.parametrize("case", vector("signatures"), ids=lambda case: case["name"])
def test_signers_are_those_of_the_vectors(case: dict[str, str]) -> None:
    message = case["message"].encode()
    digest = personal_digest(message) if case["name"] == "personal_sign" else es256k_digest(message)
    assert digest.hex() == case["digest"]
    assert recover_address(digest, case["signature"]) == case["signer"]


@given(st.integers(1, 10**9), st.binary(max_size=50))
def test_the_signer_is_found(number: int, message: bytes) -> None:
    account = Account(number)
    signature = account.sign(keccak256(message))
    assert recover_address(keccak256(message), signature) == account.address
    assert recover_address(keccak256(message), "0x" + signature.hex()) == account.address
    assert recover_address(keccak256(message), signature[:64] + bytes([signature[64] - 27])) == account.address
    assert complete_halves(keccak256(message), signature[:64], account.address) == signature


def test_another_message_gives_another_signer() -> None:
    assert recover_address(sha256(b"other"), OWNER.sign(DIGEST)) != OWNER.address


def test_a_mirrored_signature_is_refused_as_a_second_form() -> None:
    signature = OWNER.sign(DIGEST)
    mirrored = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    flipped = bytes([55 - signature[64]])
    with pytest.raises(InsituError, match="canonical"):
        recover_address(DIGEST, signature[:32] + mirrored + flipped)
    # A JSON web signature has no recovery id and may have either s.
    assert complete_halves(DIGEST, signature[:32] + mirrored, OWNER.address) == signature


@given(st.binary(max_size=70) | st.text(max_size=140))
def test_no_bytes_raise_anything_but_a_refusal(signature: bytes | str) -> None:
    try:
        assert recover_address(DIGEST, signature).startswith("0x")
    except InsituError as error:
        assert error.code == "SignatureMismatch"


@given(st.binary(min_size=64, max_size=64) | st.just(bytes(64)) | st.just(b"\xff" * 64))
def test_halves_of_anybody_else_are_refused(halves: bytes) -> None:
    with pytest.raises(InsituError, match="SignatureMismatch"):
        complete_halves(DIGEST, halves, OWNER.address)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_halves_of_another_length_are_refused(size: int) -> None:
    with pytest.raises(InsituError, match="64 bytes"):
        complete_halves(DIGEST, bytes(size), OWNER.address)


@given(st.binary(min_size=65, max_size=4096))
def test_a_contract_account_signs_with_any_65_to_4096_bytes(signature: bytes) -> None:
    assert account_signature(signature.hex()) == account_signature("0x" + signature.hex()) == signature


@pytest.mark.parametrize("text", ["", "0x", "0x" + "00" * 64, "00" * 4097, "0x" + "00" * 65 + "0", "zz" * 65])
def test_a_signature_of_another_length_or_alphabet_is_refused(text: str) -> None:
    with pytest.raises(InsituError, match="65 to 4096 bytes"):
        account_signature(text)
