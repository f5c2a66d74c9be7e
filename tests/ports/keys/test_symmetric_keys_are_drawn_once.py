"""File keys, token keys, service keys: files of their own, versioned, sealed texts bound to what they belong to."""

import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from insitu.adapters.keys.secrets import VersionedKeys, service_key, stored_password
from insitu.domain.errors import InsituError


def test_of_several_versions_the_newest_seals_and_all_open(tmp_path: Path) -> None:
    path = tmp_path / "files.key"
    keys = {"1": base64.b64encode(bytes(32)).decode(), "2": base64.b64encode(bytes(range(32))).decode()}
    path.write_text(json.dumps({"current": 2, "keys": keys}))
    kept = VersionedKeys.load(path)
    assert (kept.current, kept.versions) == (2, (2, 1))
    assert (kept.newest, kept.key(1)) == (bytes(range(32)), bytes(32))
    with pytest.raises(InsituError, match="KeyNotFound"):
        kept.key(3)


def test_keys_are_drawn_once_by_however_many(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        loaded = list(threads.map(lambda _: VersionedKeys.load(tmp_path / "deep" / "files.key").newest, range(16)))
    assert len(set(loaded)) == 1
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["files.key"]


def test_files_are_their_owners_only(tmp_path: Path) -> None:
    VersionedKeys.load(tmp_path / "keys" / "files.key")
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
