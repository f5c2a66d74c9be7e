"""A sealed list of files opens at its gateway, for one DID of one chain, and its keys can be rotated.

test_sealed_lists_stay_with_their_document.py shows which versions of the DID may carry a list. The vectors fix both for
every implementation.
"""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.sealed_list import ListedVersion, may_carry, public_files
from insitu.domain.service import File
from insitu.gateway.configuration import FileKey, Keyring
from insitu.gateway.files.encrypter import Encrypter
from tests.domain.documents import vector
from tests.gateway.keyrings import derived_keyring

OWNER, STRANGER = LocalSigner(b"\x01" * 32).address, LocalSigner(b"\x02" * 32).address
DID, OTHER = "did:nv:" + "ab" * 32, "did:nv:" + "cd" * 32
FILES = (File.read({"index": 0, "url": "file:///data/a.csv", "name": "a.csv", "contentType": "text/csv"}),)
VECTORS: Any = vector("sealed-lists")


def keyring(*versions: int) -> Keyring:
    return Keyring(tuple(FileKey(version, bytes([version]) * 32) for version in versions), b"t" * 32, b"k" * 32)


def test_a_list_opens_for_its_did_only_and_says_whose_it_is() -> None:
    encrypter = Encrypter(keyring=keyring(1), chain_id=31337)
    sealed = encrypter.seal(DID, OWNER, FILES)
    assert "a.csv" not in sealed
    assert encrypter.open(sealed, DID, STRANGER) == (OWNER, FILES)
    with pytest.raises(InsituError, match="InputElsewhere"):
        encrypter.open(sealed, OTHER, OWNER)


def test_nobody_takes_over_a_list_by_writing_another_sealer_into_it() -> None:
    encrypter = Encrypter(keyring=keyring(1), chain_id=31337)
    sealed = encrypter.seal(DID, OWNER, FILES)
    assert OWNER.lower() in sealed
    for another in (STRANGER.lower(), OWNER):
        with pytest.raises(InsituError, match="InputElsewhere"):
            encrypter.open(sealed.replace(OWNER.lower(), another), DID, OWNER)


def test_a_list_of_another_chain_or_gateway_does_not_open() -> None:
    sealed = Encrypter(keyring=keyring(1), chain_id=31337).seal(DID, OWNER, FILES)
    for other in (
        Encrypter(keyring=keyring(1), chain_id=1),
        Encrypter(keyring=derived_keyring(b"x" * 32), chain_id=31337),
        Encrypter(keyring=keyring(2), chain_id=31337),
    ):
        with pytest.raises(InsituError, match="InputElsewhere"):
            other.open(sealed, DID, OWNER)


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    old = Encrypter(keyring=keyring(1), chain_id=31337).seal(DID, OWNER, FILES)
    rotated = Encrypter(keyring=keyring(1, 2), chain_id=31337)
    assert rotated.open(old, DID, OWNER) == (OWNER, FILES)
    assert rotated.seal(DID, OWNER, FILES).startswith("insitu2.2.")


def test_the_same_list_is_sealed_differently_each_time() -> None:
    encrypter = Encrypter(keyring=keyring(1), chain_id=31337)
    assert encrypter.seal(DID, OWNER, FILES) != encrypter.seal(DID, OWNER, FILES)


def test_the_public_list_has_neither_url_nor_name() -> None:
    assert public_files(file.to_json() for file in FILES) == ({"index": 0, "contentType": "text/csv"},)


def test_keys_are_in_no_representation() -> None:
    shown = repr(keyring(1)) + str(keyring(1).files[0])
    assert "\\x01" not in shown
    assert "tttt" not in shown


@given(
    st.text(max_size=200)
    | st.from_regex(r"insitu1\.[0-9]{1,3}\.[A-Za-z0-9_=-]{0,80}", fullmatch=True)
    | st.from_regex(r"insitu2\.[0-9]{1,3}\.0x[0-9a-f]{40}\.[A-Za-z0-9_=-]{0,80}", fullmatch=True)
    | st.none()
    | st.integers()
    | st.lists(st.text(max_size=3))
)
def test_no_random_text_opens(text: object) -> None:
    with pytest.raises(InsituError, match="InputElsewhere"):
        Encrypter(keyring=keyring(1), chain_id=31337).open(text, DID, OWNER)


@given(st.integers(0, 150), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    encrypter = Encrypter(keyring=keyring(1), chain_id=31337)
    sealed = encrypter.seal(DID, OWNER, FILES)
    head, _, payload = sealed.rpartition(".")
    at = position % len(payload)
    replaced = chr((ord(payload[at]) + change) % 128)
    if replaced == payload[at]:
        return
    with pytest.raises(InsituError, match="InputElsewhere"):
        encrypter.open(f"{head}.{payload[:at]}{replaced}{payload[at + 1 :]}", DID, OWNER)


@pytest.mark.parametrize("case", VECTORS["texts"], ids=lambda case: case["name"])
def test_texts_open_as_the_vectors_say(case: dict[str, Any]) -> None:
    keys = Keyring((FileKey(case["keyVersion"], bytes.fromhex(VECTORS["key"])),), b"t" * 32, b"k" * 32)
    encrypter = Encrypter(keyring=keys, chain_id=VECTORS["chainId"])
    if not case["opens"]:
        with pytest.raises(InsituError, match="InputElsewhere"):
            encrypter.open(case["text"], case["did"], Address(case["creator"]))
        return
    sealer, files = encrypter.open(case["text"], case["did"], Address(case["creator"]))
    assert (sealer, [file.to_json() for file in files]) == (case["sealer"], VECTORS["files"])


def test_sealing_gives_the_text_of_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    case = VECTORS["texts"][0]
    nonce = base64.urlsafe_b64decode(case["text"].split(".")[3])[:12]
    monkeypatch.setattr("insitu.gateway.files.encrypter.secrets.token_bytes", lambda size: nonce[:size])
    keys = Keyring((FileKey(case["keyVersion"], bytes.fromhex(VECTORS["key"])),), b"t" * 32, b"k" * 32)
    files = [File.read(file) for file in VECTORS["files"]]
    assert (
        Encrypter(keyring=keys, chain_id=VECTORS["chainId"]).seal(case["did"], Address(case["sealer"]), files)
        == case["text"]
    )


@pytest.mark.parametrize("case", VECTORS["versions"], ids=lambda case: case["name"])
def test_versions_carry_lists_as_the_vectors_say(case: dict[str, Any]) -> None:
    newest, *before = [
        ListedVersion(number, Address(version["registrant"]), version["list"])
        for number, version in reversed(list(enumerate(case["versions"], start=1)))
    ]
    allowed = may_carry(newest, newest.text, Address(case["sealer"]))
    for version in before:
        if allowed is None:
            allowed = may_carry(version, newest.text, Address(case["sealer"]))
    assert allowed is case["allowed"]
