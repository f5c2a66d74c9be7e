"""The contract of the Signer port, over each source of keys."""

import copy
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.keys.dev import DEV_NAMES, DevSigner, dev_signer
from insitu.adapters.keys.keystore import LIGHT, Keystore
from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.domain.signatures import recover_address

SECRET = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")


def from_memory(_: Path) -> LocalSigner:
    return LocalSigner(SECRET)


def from_keystore(folder: Path) -> LocalSigner:
    Keystore(folder, LIGHT).import_hex("provider", SECRET.hex(), "a password")
    return Keystore(folder).open("provider", "a password")


def from_development(_: Path) -> DevSigner:
    return dev_signer("provider")


@pytest.fixture(params=[from_memory, from_keystore, from_development])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> LocalSigner:
    make: Callable[[Path], LocalSigner] = request.param
    return make(tmp_path)


def test_the_address_is_the_keys(signer: LocalSigner) -> None:
    assert signer.address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_a_digest_is_signed_so_that_the_address_is_recovered(signer: LocalSigner) -> None:
    for byte in range(32):
        digest = bytes([byte]) * 32
        signature = signer.sign_digest(digest)
        assert len(signature) == 65
        assert signature[64] in {27, 28}
        assert recover_address(digest, signature) == signer.address


@given(digest=st.binary(min_size=32, max_size=32))
def test_every_signature_is_canonical(digest: bytes) -> None:
    signer = LocalSigner(SECRET)
    # recover_address refuses a high s.
    assert recover_address(digest, signer.sign_digest(digest)) == signer.address
    assert signer.sign_digest(digest) == signer.sign_digest(digest)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_only_digests_are_signed(signer: LocalSigner, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        signer.sign_digest(bytes(length))


def test_a_transaction_is_signed_by_the_account(signer: LocalSigner) -> None:
    transaction: dict[str, object] = {
        "type": 2,
        "chainId": 31337,
        "nonce": 0,
        "value": 0,
        "data": b"\1\2",
        "gas": 21000,
        "maxFeePerGas": 10,
        "maxPriorityFeePerGas": 1,
        "to": "0x000000000000000000000000000000000000dEaD",
    }
    raw = signer.sign_transaction(transaction)
    assert raw[0] == 2
    assert Account.recover_transaction(raw) == signer.address


def test_the_key_is_in_no_picture_of_the_signer(signer: LocalSigner) -> None:
    shown = [repr(signer), str(signer), f"{signer!r:>200}", repr([signer]), repr(vars(type(signer)))]
    assert not any(SECRET.hex() in text or str(int.from_bytes(SECRET, "big")) in text for text in shown)
    assert signer.address in repr(signer)
    for copied in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="does not leave"):
            copied(signer)  # type: ignore[operator]


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"secret-bytes"])
def test_an_impossible_key_is_refused_without_being_shown(secret: bytes) -> None:
    with pytest.raises(InsituError, match="KeyInvalid") as refused:
        LocalSigner(secret)
    text = "".join(traceback.format_exception(refused.value))
    assert secret.hex() not in text.replace(" ", "")
    assert "secret-bytes" not in str(refused.value)


def test_the_development_accounts_are_those_of_the_known_mnemonic() -> None:
    Account.enable_unaudited_hdwallet_features()
    mnemonic = "test test test test test test test test test test test junk"
    for index, name in enumerate(DEV_NAMES):
        account = Account.from_mnemonic(mnemonic, account_path=f"m/44'/60'/0'/0/{index}")
        assert dev_signer(name).address == read_address(account.address)


def test_an_unknown_development_account_is_reported_with_the_known_ones() -> None:
    with pytest.raises(InsituError, match=r"KeyNotFound.*deployer, provider"):
        dev_signer("nobody")
