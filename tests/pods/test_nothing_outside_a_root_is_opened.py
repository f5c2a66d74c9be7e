"""Whatever is placed beneath a data root, and however it changes meanwhile, nothing outside the root is opened."""

import os
import random
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from insitu.domain.errors import InsituError
from insitu.guarded_files import open_beneath

INSIDE, OUTSIDE = b"inside", b"outside"
WAYS = (os.O_RDONLY, os.O_PATH)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "folder").mkdir(parents=True)
    (made / "folder" / "rows").write_bytes(INSIDE)
    for outside in (tmp_path / "outside", tmp_path / "root-and-more"):
        outside.mkdir()
        (outside / "rows").write_bytes(OUTSIDE)
    return made


def opened(root: Path, path: str, flags: int = os.O_RDONLY) -> bytes | None:
    """The content that is opened, None for a folder."""
    found = open_beneath(str(root), f"{root}/{path}", "the input", flags)
    try:
        place = os.open(f"/proc/self/fd/{found}", os.O_RDONLY)
        try:
            return None if stat.S_ISDIR(os.fstat(found).st_mode) else os.read(place, 100)
        finally:
            os.close(place)
    finally:
        os.close(found)


def refusal(root: Path, path: str, flags: int) -> str:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InsituError) as refused:
        open_beneath(str(root), path, "the input", flags)
    assert len(list(Path("/proc/self/fd").iterdir())) == before, "a refusal leaves no descriptor"
    assert refused.value.code == "InputUnreadable"
    assert refused.value.detail.startswith("the input ")
    assert str(root.parent) not in refused.value.detail, "a path of the provider is not revealed"
    return refused.value.detail


@pytest.mark.parametrize("flags", WAYS)
def test_what_is_beneath_the_root_opens(root: Path, flags: int) -> None:
    assert opened(root, "folder/rows", flags) == INSIDE
    assert opened(root, "folder/../folder//./rows", flags) == INSIDE
    assert opened(root, "folder", flags) is None
    assert opened(root, ".", flags) is None


@pytest.mark.parametrize("flags", WAYS)
def test_the_root_itself_may_be_a_link(root: Path, flags: int) -> None:
    link = root.parent / "chosen"
    link.symlink_to(root)
    assert opened(link, "folder/rows", flags) == INSIDE
    assert opened(link, ".", flags) is None


@pytest.mark.parametrize("flags", WAYS)
def test_no_part_below_the_root_may_be_a_link(root: Path, flags: int) -> None:
    outside = root.parent / "outside"
    for name, target in {
        "first": outside,
        "folder/middle": outside,
        "folder/last": outside / "rows",
        "folder/up": Path(".."),
        "inward": root / "folder",
        "circle": root / "circle",
        "itself": Path(),
        "magic": Path("/proc/self/root"),
        "dangling": Path("nowhere"),
    }.items():
        (root / name).symlink_to(target)
    through = ("first/rows", "folder/middle/rows", "folder/last", "folder/up/folder/rows", "inward/rows", "circle")
    for path in (*through, "itself/folder/rows", "magic/etc/passwd", "dangling", "first", "inward"):
        assert "symbolic link" in refusal(root, f"{root}/{path}", flags), path


@pytest.mark.parametrize("flags", WAYS)
def test_no_path_leads_out_of_the_root(root: Path, flags: int) -> None:
    above = root.parent
    for path in (f"{root}/../outside/rows", f"{above}/outside/rows", f"{above}/root-and-more/rows", "/", str(above)):
        assert "not beneath" in refusal(root, path, flags), path
    for path in ("", f"{root}/nul\0rows", f"{root}/folder/rows/below", f"{root}/folder/absent"):
        assert "cannot be opened" in refusal(root, path, flags), path


@pytest.mark.parametrize("flags", WAYS)
def test_only_files_and_folders_open(root: Path, flags: int) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
        for name in ("pipe", "socket"):
            assert refusal(root, f"{root}/{name}", flags)
    assert "neither a file nor a folder" in refusal(root, f"{root}/pipe", flags)
    with pytest.raises(InsituError, match="neither a file nor a folder"):
        open_beneath("/dev", "/dev/null", "the input", flags)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_on_the_way_need_not_be_readable(root: Path) -> None:
    (root / "folder").chmod(0o311)
    assert opened(root, "folder/rows") == INSIDE
    (root / "folder" / "rows").chmod(0)
    assert "permission denied" in refusal(root, f"{root}/folder/rows", os.O_RDONLY)


@pytest.mark.parametrize("flags", WAYS)
@pytest.mark.parametrize("swapped", ["folder", "folder/rows"])
def test_what_changes_while_it_is_opened_leads_nowhere_else(root: Path, swapped: str, flags: int) -> None:
    seen: set[bytes | None] = set()
    tried = refused = 0
    give_up = time.monotonic() + 30
    with swapping(root / swapped, root.parent / "outside" / swapped.removeprefix("folder").strip("/")):
        while tried < 2000 or not (seen and refused):
            tried += 1
            try:
                seen.add(opened(root, "folder/rows", flags))
            except InsituError:
                refused += 1
            if tried > 2000:  # on a busy machine the two threads can keep step
                time.sleep(random.random() / 10_000)
                if time.monotonic() > give_up:
                    break
    assert seen <= {INSIDE}
    assert seen, "it was there at times"
    assert refused, "and it was a link at times"


@contextmanager
def swapping(place: Path, outside: Path) -> Iterator[None]:
    """Replace a file or folder by a link to the outside and back, again and again."""
    aside, over = place.with_name("aside"), threading.Event()

    def swap() -> None:
        while not over.is_set():
            place.rename(aside)
            place.symlink_to(outside)
            place.unlink()
            aside.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
