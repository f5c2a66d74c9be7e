"""A download appears complete, inside its folder, and never over what is there."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from insitu.sdk.downloads import Destination

HELLO = hashlib.sha256(b"hello").hexdigest()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", ".", "a/../b", "a\0b", "a\nb", "x" * 300, "a//b"])
async def test_a_server_cannot_choose_where_its_file_lands(tmp_path: Path, name: str) -> None:
    into = Destination(tmp_path / "folder")
    with pytest.raises(InsituError, match="InvalidDocument"):
        await into.save(chunks(b"x"), name)
    with pytest.raises(InsituError, match="InvalidDocument"):
        await into.missing({name: HELLO})
    assert listing(tmp_path) == []


@pytest.mark.parametrize("overwrite", [False, True])
async def test_a_link_in_the_folder_does_not_lead_out_of_it(tmp_path: Path, *, overwrite: bool) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "mine").write_text("mine")
    (folder / "sub").symlink_to(outside)
    (folder / "file").symlink_to(outside / "mine")
    into = Destination(folder, overwrite=overwrite)
    with pytest.raises(InsituError, match=r"FolderNotEmpty: .*sub.* is a link or a file"):
        await into.save(chunks(b"x"), "sub/file")
    if overwrite:
        await into.save(chunks(b"new"), "file")
        assert not (folder / "file").is_symlink()
    else:
        with pytest.raises(InsituError, match="FolderNotEmpty"):
            await into.save(chunks(b"new"), "file")
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("mine", "mine")]


async def test_a_file_is_there_complete_and_right_or_not_at_all(tmp_path: Path) -> None:
    into = Destination(tmp_path / "new" / "folder")
    path = await into.save(chunks(b"he", b"llo"), "stage-1/a.txt", sha256=HELLO)
    assert (path.read_bytes(), path) == (b"hello", tmp_path / "new" / "folder" / "stage-1" / "a.txt")
    with pytest.raises(InsituError, match="ChecksumMismatch"):
        await into.save(chunks(b"hello!"), "b.txt", sha256="0" * 64)
    assert listing(into.folder) == ["stage-1", "stage-1/a.txt"]
    assert path.stat().st_mode & 0o111 == 0


async def test_what_is_there_is_replaced_only_where_that_was_asked_for(tmp_path: Path) -> None:
    config = tmp_path / ".git" / "config"
    config.parent.mkdir()
    config.write_text("mine")
    with pytest.raises(InsituError, match="FolderNotEmpty"):
        await Destination(tmp_path).save(chunks(b"[core] fsmonitor = rm"), ".git/config")
    assert (config.read_text(), listing(tmp_path)) == ("mine", [".git", ".git/config"])
    await Destination(tmp_path, overwrite=True).save(chunks(b"theirs"), ".git/config")
    assert (config.read_text(), listing(tmp_path)) == ("theirs", [".git", ".git/config"])


async def test_a_folder_with_other_files_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for asked in ({}, {"a.txt": HELLO}, {"notes.txt": HELLO}, {"notes.txt": None}):
        with pytest.raises(InsituError, match=r"FolderNotEmpty: .*notes\.txt"):
            await Destination(tmp_path).missing(asked)
    assert await Destination(tmp_path, overwrite=True).missing({"notes.txt": HELLO}) == ["notes.txt"]
    file = Destination(tmp_path / "notes.txt", overwrite=True)
    with pytest.raises(InsituError, match=r"FolderNotEmpty: .*is not a folder"):
        await file.missing({})


async def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    with pytest.raises(InsituError, match="StorageFailed"):
        await Destination(tmp_path / "new" / "folder").missing({})


async def test_a_second_download_fetches_only_what_is_missing(tmp_path: Path) -> None:
    asked: dict[str, str | None] = {"a.txt": HELLO, "sub/b.txt": HELLO}
    into = Destination(tmp_path / "out")
    assert await into.missing(asked) == ["a.txt", "sub/b.txt"]
    await into.save(chunks(b"hello"), "sub/b.txt", sha256=HELLO)
    assert await into.missing(asked) == ["a.txt"]
    await into.save(chunks(b"hello"), "a.txt", sha256=HELLO)
    assert await into.missing(asked) == []
    (into.folder / "a.txt").write_text("changed")
    with pytest.raises(InsituError, match=r"FolderNotEmpty: .*a\.txt"):
        await into.missing(asked)


async def test_what_an_interrupted_download_left_does_not_stop_the_next(tmp_path: Path) -> None:
    into = Destination(tmp_path)

    async def cut() -> AsyncIterator[bytes]:
        yield b"he"
        assert [name for name in listing(tmp_path) if name.endswith(".part")]
        assert await into.missing({"a.txt": HELLO}) == ["a.txt"]
        raise OSError("the connection is gone")

    with pytest.raises(OSError, match="gone"):
        await into.save(cut(), "a.txt", sha256=HELLO)
    assert listing(tmp_path) == []
