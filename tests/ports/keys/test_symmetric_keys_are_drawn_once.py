"""File keys, token keys, service keys: files of their own, versioned, sealed texts bound to what they belong to."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.keys.secrets import FileCipher, VersionedKeys, service_key, stored_password
from insitu.domain.errors import InsituError

KEYS = VersionedKeys(1, {1: b"k" * 32})


@given(plain=st.binary(max_size=300), associated=st.binary(max_size=60))
def test_what_is_sealed_opens_beside_the_same_associated_data(plain: bytes, associated: bytes) -> None:
    cipher = FileCipher(KEYS)
    assert cipher.decrypt(cipher.encrypt(plain, associated), associated) == plain


@given(plain=st.binary(max_size=60), associated=st.binary(max_size=20), other=st.binary(max_size=20))
def test_it_opens_beside_no_other(plain: bytes, associated: bytes, other: bytes) -> None:
    sealed = FileCipher(KEYS).encrypt(plain, associated)
    if other != associated:
        with pytest.raises(InsituError, match="SealBroken"):
            FileCipher(KEYS).decrypt(sealed, other)


@given(data=st.data(), plain=st.binary(max_size=60))
def test_no_bit_of_it_can_change(data: st.DataObject, plain: bytes) -> None:
    raw = bytearray(base64.urlsafe_b64decode(FileCipher(KEYS).encrypt(plain, b"x")))
    position = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[position // 8] ^= 1 << position % 8
    with pytest.raises(InsituError) as refused:
        FileCipher(KEYS).decrypt(base64.urlsafe_b64encode(bytes(raw)).decode(), b"x")
    assert refused.value.code in {"SealBroken", "KeyNotFound"}


@given(text=st.text(max_size=80))
def test_any_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(InsituError) as refused:
        FileCipher(KEYS).decrypt(text, b"x")
    assert refused.value.code in {"SealBroken", "KeyNotFound"}


def test_sealing_twice_gives_different_texts() -> None:
    assert FileCipher(KEYS).encrypt(b"same", b"") != FileCipher(KEYS).encrypt(b"same", b"")


def test_another_key_does_not_open_it() -> None:
    sealed = FileCipher(KEYS).encrypt(b"plain", b"")
    with pytest.raises(InsituError, match="SealBroken"):
        FileCipher(VersionedKeys(1, {1: b"o" * 32})).decrypt(sealed, b"")


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_new_key(tmp_path: Path) -> None:
    path = tmp_path / "files.key"
    old = FileCipher(VersionedKeys.load(path)).encrypt(b"old", b"")
    rotated = VersionedKeys.rotate(path)
    assert rotated.current == 2
    assert VersionedKeys.load(path) == rotated
    new = FileCipher(rotated).encrypt(b"new", b"")
    assert FileCipher(VersionedKeys.load(path)).decrypt(old, b"") == b"old"
    assert base64.urlsafe_b64decode(new)[:4] == b"\0\0\0\2"


def test_a_rotation_can_drop_the_oldest_keys(tmp_path: Path) -> None:
    path = tmp_path / "tokens.key"
    sealed = FileCipher(VersionedKeys.load(path)).encrypt(b"old", b"")
    VersionedKeys.rotate(path, keep=2)
    kept = VersionedKeys.rotate(path, keep=2)
    assert kept.versions == (3, 2)
    assert kept.newest == kept.key(3) != kept.key(2)
    with pytest.raises(InsituError, match="KeyNotFound"):
        FileCipher(kept).decrypt(sealed, b"")


def test_keys_are_drawn_once_by_however_many(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(lambda _: VersionedKeys.load(tmp_path / "deep" / "files.key").newest, range(16)))
    assert len(set(loaded)) == 1
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["files.key"]


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    VersionedKeys.load(tmp_path / "keys" / "files.key")
    VersionedKeys.rotate(tmp_path / "keys" / "files.key")
    service_key(tmp_path / "keys" / "service.key")
    for file in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_keys_are_in_no_repr(tmp_path: Path) -> None:
    keys = VersionedKeys.load(tmp_path / "files.key")
    assert repr(keys.newest) not in repr(keys)
    assert repr(keys) == "VersionedKeys(current=1)"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"current": 1, "keys": {}}',
        '{"current": 1, "keys": {"1": "AAAA"}}',
        '{"current": 1, "keys": 3}',
    ],
)
def test_a_broken_key_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "files.key"
    path.write_text(content)
    with pytest.raises(InsituError, match="KeyInvalid"):
        VersionedKeys.load(path)
    assert path.read_text() == content


@pytest.mark.parametrize("draw", [service_key, stored_password])
def test_a_service_key_is_long_and_stays(tmp_path: Path, draw: object) -> None:
    assert callable(draw)
    drawn = draw(tmp_path / "one")
    assert len(drawn) == 43
    assert draw(tmp_path / "one") == drawn
    assert draw(tmp_path / "two") != drawn


def test_a_service_key_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short\n")
    with pytest.raises(InsituError, match="KeyInvalid"):
        service_key(tmp_path / "key")
