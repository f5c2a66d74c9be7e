"""Only the provider's own user reads what it keeps, whatever the umask is and whatever an earlier version left open."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.settings.folder import DataFolder
from insitu.stack.locking import close_folders
from insitu.testing.provider import ProviderProcess


def modes(home: Path) -> dict[str, int]:
    folders = [home, *(path for path in home.iterdir() if path.is_dir() and not path.is_symlink())]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folders}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_folders_that_an_earlier_version_left_open_are_closed(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    for name in ("blobs", "chain", "images", "runs"):
        (home / name).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (home / "logs").symlink_to(tmp_path / "elsewhere")
    close_folders(DataFolder(home))
    assert set(modes(home).values()) == {0o700}
    assert modes(tmp_path)["elsewhere"] == 0o777, "the target of a link is somebody else's"
    close_folders(DataFolder(home))


def test_git_ignores_a_data_folder_in_a_working_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    close_folders(DataFolder(tmp_path / "x"))
    (tmp_path / "x" / "keys").mkdir()
    (tmp_path / "x" / "keys" / "mine.json").write_text("{}")
    listed = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    assert subprocess.run(listed, check=True, capture_output=True, text=True).stdout == ""
    (tmp_path / "x" / ".gitignore").write_text("kept\n")
    close_folders(DataFolder(tmp_path / "x"))
    assert (tmp_path / "x" / ".gitignore").read_text() == "kept\n", "its owner may decide otherwise"


@pytest.mark.slow
@pytest.mark.needs("oci", "chain")
@pytest.mark.usefixtures("open_umask")
def test_what_a_provider_makes_is_closed_from_the_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    provider = ProviderProcess(home)
    try:
        provider.start()
        found = {name: oct(mode) for name, mode in modes(home).items() if name != "data"}
    finally:
        provider.stop()
    assert {"home", "chain", "keys", "runs"} <= set(found)
    assert set(found.values()) == {"0o700"}, found
