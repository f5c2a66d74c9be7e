"""A rotation adds a key and keeps the earlier ones, even if it is killed or several run at once."""

import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from insitu.adapters.keys.secrets import VersionedKeys
from insitu.domain.errors import InsituError

KILLED = """
import os, pathlib, signal, sys
from insitu.adapters.keys import private_files
from insitu.adapters.keys.secrets import VersionedKeys

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

module, name = {"os": os, "Path": pathlib.Path, "private_files": private_files}[sys.argv[2]], sys.argv[3]
setattr(module, name, killed)
VersionedKeys.rotate(pathlib.Path(sys.argv[1]))
"""


def rotate_in_a_process(path: Path, *, killed_at: str) -> None:
    """Rotate in another process, which ends where it would call ``killed_at``."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), *killed_at.split(".")], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_the_earlier_key_stays_and_a_new_one_seals(tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    before = VersionedKeys.load(path)
    after = VersionedKeys.rotate(path)
    assert (after.current, after.versions) == (2, (2, 1))
    assert after.key(1) == before.newest != after.newest
    assert VersionedKeys.load(path) == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["files.keys"]


@pytest.mark.parametrize("moment", ["os.fchown", "os.fsync", "Path.replace"])
def test_killed_before_the_file_is_replaced_the_keys_are_those_of_before(moment: str, tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    before = VersionedKeys.load(path)
    rotate_in_a_process(path, killed_at=moment)
    assert VersionedKeys.load(path) == before
    assert VersionedKeys.rotate(path).versions == (2, 1)
    assert [file.name for file in tmp_path.iterdir()] == ["files.keys"], "what the killed process left is gone"


def test_killed_after_the_file_is_replaced_the_new_key_is_there(tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    before = VersionedKeys.load(path)
    rotate_in_a_process(path, killed_at="private_files._sync")
    after = VersionedKeys.load(path)
    assert (after.versions, after.key(1)) == ((2, 1), before.newest)


def test_many_rotations_at_once_lose_no_key(tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    VersionedKeys.load(path)
    with ThreadPoolExecutor(8) as threads:
        rotated = list(threads.map(lambda _: VersionedKeys.rotate(path), range(16)))
    kept = VersionedKeys.load(path)
    assert sorted(keys.current for keys in rotated) == list(range(2, 18))
    assert kept.versions == tuple(range(17, 0, -1))
    assert all(kept.key(keys.current) == keys.newest for keys in rotated)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.keys"
    VersionedKeys.load(path)
    link = tmp_path / "files.keys"
    link.symlink_to(path)
    VersionedKeys.rotate(link)
    assert link.is_symlink()
    assert VersionedKeys.load(path).versions == (2, 1)


@pytest.mark.needs("root")
def test_the_owner_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    VersionedKeys.load(path)
    path.chmod(0o600)
    subprocess.run(["chown", "12345:12345", path], check=True)
    VersionedKeys.rotate(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)


@pytest.mark.parametrize(("content", "code"), [(None, "KeyNotFound"), ("{}", "KeyInvalid")])
def test_without_a_usable_file_nothing_is_written(content: str | None, code: str, tmp_path: Path) -> None:
    path = tmp_path / "files.keys"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InsituError, match=code):
        VersionedKeys.rotate(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ([] if content is None else [content])
