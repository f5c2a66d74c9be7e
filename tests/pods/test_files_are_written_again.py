"""A fetched file replaces the one of an earlier attempt, which its own user may not be allowed to write (0555)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from insitu.pods.fetching import Room, write_file


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_the_file_of_a_try_before_is_replaced_and_not_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "count.py"
    await write_file(path, chunks(b"old"), Room(100), mode=0o555)
    (tmp_path / "kept").hardlink_to(path)
    await write_file(path, chunks(b"n", b"ew"), Room(100), mode=0o555)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o555
    assert (tmp_path / "kept").read_bytes() == b"old", "an open file is not written into"


async def test_a_link_is_replaced_and_not_followed_and_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("outside")
    await write_file(tmp_path / "link", chunks(b"ours"), Room(100))
    assert (tmp_path / "outside").read_bytes() == b"theirs"
    assert not (tmp_path / "link").is_symlink()
    (tmp_path / "folder").mkdir()
    with pytest.raises(InsituError, match="ConfigurationFailed: folder cannot be written"):
        await write_file(tmp_path / "folder", chunks(b"x"), Room(100))
