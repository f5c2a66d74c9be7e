"""Sealed lists of files: opened by this gateway, for their creator, on their chain; keys can be rotated (design §5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.errors import InsituError
from insitu.domain.service import File
from insitu.gateway.configuration import FileKey, Keyring
from insitu.gateway.sealing import Sealing, public_files

OWNER, STRANGER = LocalSigner(b"\x01" * 32).address, LocalSigner(b"\x02" * 32).address
FILES = (File.read({"index": 0, "url": "file:///data/a.csv", "name": "a.csv", "contentType": "text/csv"}),)


def keyring(*versions: int) -> Keyring:
    return Keyring(tuple(FileKey(version, bytes([version]) * 32) for version in versions), b"t" * 32, b"k" * 32)


def test_a_list_opens_for_its_creator_only() -> None:
    sealing = Sealing(keyring(1), 31337)
    sealed = sealing.seal(OWNER, FILES)
    assert sealing.open(sealed, OWNER) == FILES
    assert "a.csv" not in sealed
    with pytest.raises(InsituError, match="InputElsewhere"):
        sealing.open(sealed, STRANGER)


def test_a_list_of_another_chain_or_gateway_does_not_open() -> None:
    sealed = Sealing(keyring(1), 31337).seal(OWNER, FILES)
    for other in (Sealing(keyring(1), 1), Sealing(Keyring.derived(b"x" * 32), 31337), Sealing(keyring(2), 31337)):
        with pytest.raises(InsituError, match="InputElsewhere"):
            other.open(sealed, OWNER)


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    old = Sealing(keyring(1), 31337).seal(OWNER, FILES)
    rotated = Sealing(keyring(1, 2), 31337)
    assert rotated.open(old, OWNER) == FILES
    assert rotated.seal(OWNER, FILES).startswith("insitu1.2.")


def test_the_same_list_is_sealed_differently_each_time() -> None:
    sealing = Sealing(keyring(1), 31337)
    assert sealing.seal(OWNER, FILES) != sealing.seal(OWNER, FILES)


def test_the_public_list_has_neither_url_nor_name() -> None:
    assert public_files(FILES) == ({"index": 0, "contentType": "text/csv"},)


def test_keys_are_in_no_representation() -> None:
    shown = repr(keyring(1)) + str(keyring(1).files[0])
    assert "\\x01" not in shown
    assert "tttt" not in shown


@given(st.text(max_size=200) | st.from_regex(r"insitu1\.[0-9]{1,3}\.[A-Za-z0-9_=-]{0,80}", fullmatch=True))
def test_no_text_whatever_opens(text: str) -> None:
    with pytest.raises(InsituError, match="InputElsewhere"):
        Sealing(keyring(1), 31337).open(text, OWNER)


@given(st.integers(0, 150), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    sealing = Sealing(keyring(1), 31337)
    sealed = sealing.seal(OWNER, FILES)
    head, _, payload = sealed.rpartition(".")
    at = position % len(payload)
    replaced = chr((ord(payload[at]) + change) % 128)
    if replaced == payload[at]:
        return
    with pytest.raises(InsituError, match="InputElsewhere"):
        sealing.open(f"{head}.{payload[:at]}{replaced}{payload[at + 1 :]}", OWNER)
