"""The collector judges what it has opened, and takes only plain files with plain names."""

import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.runtime.oci.trees import delete_tree
from insitu.pods.collector import CollectionLimits, collect, read_collected

LIMITS = CollectionLimits(max_bytes=1 << 20, max_files=50)


def rules(folder: Path, limits: CollectionLimits = LIMITS) -> dict[str, str]:
    return {rejection.path: rejection.rule for rejection in collect(folder, limits).rejections}


def test_files_are_listed_in_order_with_their_digests(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.csv").write_bytes(b"two")
    (tmp_path / "a.csv").write_bytes(b"")
    found = collect(tmp_path, LIMITS)
    assert [(f.path, f.size, f.sha256) for f in found.files] == [
        ("a.csv", 0, hashlib.sha256(b"").hexdigest()),
        ("b/2.csv", 3, hashlib.sha256(b"two").hexdigest()),
    ]
    assert found.rejections == ()
    assert sum(file.size for file in found.files) == 3


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert collect(tmp_path / "absent", LIMITS).files == ()


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("link", "SymbolicLink"),
        ("dangling", "SymbolicLink"),
        ("loop", "SymbolicLink"),
        ("folder link", "SymbolicLink"),
        ("pipe", "NotAFile"),
        ("socket", "NotAFile"),
        ("setuid", "SetUserId"),
        ("setgid", "SetUserId"),
        ("name\n", "BadName"),
        ("name\x1b[31m", "BadName"),
        ("\u202ename", "BadName"),
        ("back\\slash", "BadName"),
        (" space", "BadName"),
    ],
)
def test_what_is_not_a_plain_file_is_rejected(tmp_path: Path, kind: str, rule: str) -> None:
    path = tmp_path / "out" / (kind if rule == "BadName" else "entry")
    path.parent.mkdir()
    if "link" in kind or kind in ("dangling", "loop"):
        targets = {"link": "/etc/passwd", "dangling": "nowhere", "loop": path.name, "folder link": "/"}
        path.symlink_to(targets[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    else:
        path.touch()
        if kind in ("setuid", "setgid"):
            path.chmod(0o4755 if kind == "setuid" else 0o2755)
    found = collect(path.parent, LIMITS)
    assert found.files == ()
    assert [rejection.rule for rejection in found.rejections] == [rule]
    assert all(32 <= ord(character) < 127 for character in found.rejections[0].message), "safe on a terminal"


def test_what_begins_with_a_point_is_neither_opened_nor_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".pipe")
    (tmp_path / ".link").symlink_to("/etc/passwd")
    (tmp_path / os.fsdecode(b".caf\xe9")).touch()
    (tmp_path / ".folder").mkdir()
    (tmp_path / ".folder" / "file").write_bytes(bytes(2 << 20))
    (tmp_path / "\uff0efull-width").touch()
    found = collect(tmp_path, LIMITS)
    assert (found.files, found.rejections, found.left_out) == ((), (), 5)


def test_more_hidden_files_than_can_be_counted_end_the_walk(tmp_path: Path) -> None:
    for number in range(LIMITS.max_entries + 1):
        (tmp_path / f".{number}").touch()
    assert set(rules(tmp_path).values()) == {"TooManyFiles"}


def test_a_name_that_is_not_utf_8_is_rejected(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).touch()
    assert list(rules(tmp_path).values()) == ["BadName"]


def test_both_names_of_a_file_with_two_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert rules(tmp_path) == {"one": "HardLink", "two": "HardLink"}


@pytest.mark.parametrize(("one", "two"), [("Table.csv", "table.csv"), ("caf\u00e9", "cafe\u0301"), ("\u00df", "ss")])
def test_names_that_collide_elsewhere_are_rejected(tmp_path: Path, one: str, two: str) -> None:
    (tmp_path / one).touch()
    (tmp_path / two).touch()
    assert list(rules(tmp_path).values()) == ["NameCollision"]


def test_folders_end_at_a_depth(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*("d" * 31))
    deepest.mkdir(parents=True)
    (deepest / "file").touch()
    assert rules(tmp_path) == {}
    (deepest / "one-more").mkdir()
    (deepest / "one-more" / "file").touch()
    assert list(rules(tmp_path).values()) == ["TooDeep"]


def test_three_thousand_folders_in_each_other_end_the_walk_and_can_be_deleted(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(top)
        for _ in range(3000):
            os.mkdir("d")  # noqa: PTH102 (a path would be too long)
            os.chdir("d")
    finally:
        os.fchdir(before)
        os.close(before)
    assert set(rules(top).values()) == {"TooDeep"}
    delete_tree(top)
    assert not top.exists()


def test_more_bytes_than_allowed_are_rejected_by_their_size_and_not_their_blocks(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert rules(tmp_path) == {"sparse": "TooManyBytes"}


def test_bytes_and_paths_are_counted_together(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(400))
    assert rules(tmp_path, CollectionLimits(max_bytes=1203, max_files=9)) == {}
    assert list(rules(tmp_path, CollectionLimits(max_bytes=1202, max_files=9)).values()) == ["TooManyBytes"]


def test_more_files_or_folders_than_allowed_end_the_walk(tmp_path: Path) -> None:
    for number in range(51):
        (tmp_path / f"{number}").touch()
    assert set(rules(tmp_path).values()) == {"TooManyFiles"}
    empty = tmp_path / "folders"
    empty.mkdir()
    for number in range(LIMITS.max_entries + 10):
        (empty / f"{number}").mkdir()
    assert set(rules(empty).values()) == {"TooManyFiles"}


def test_a_folder_that_its_owner_closed_is_read(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "file").write_bytes(b"x")
    (closed / "file").chmod(0)
    closed.chmod(0)
    assert [file.path for file in collect(tmp_path, LIMITS).files] == ["closed/file"]
    closed.chmod(stat.S_IRWXU)


def test_what_was_collected_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(os.urandom(3 << 20))
    limits = CollectionLimits(max_bytes=4 << 20, max_files=1)
    (file,) = collect(tmp_path, limits).files
    data = b"".join(read_collected(tmp_path, file))
    assert hashlib.sha256(data).hexdigest() == file.sha256


@pytest.mark.parametrize("trick", ["other content", "link", "link above"])
def test_what_changed_since_is_not_read(tmp_path: Path, trick: str) -> None:
    (tmp_path / "out" / "a").mkdir(parents=True)
    path = tmp_path / "out" / "a" / "b"
    path.write_bytes(b"judged")
    (file,) = collect(tmp_path / "out", LIMITS).files
    if trick == "other content":
        path.write_bytes(b"changed")
    elif trick == "link":
        path.unlink()
        path.symlink_to("/etc/passwd")
    else:
        path.parent.rename(tmp_path / "moved")
        path.parent.symlink_to(tmp_path / "moved")
    with pytest.raises(OSError, match=r"changed|symbolic|directory"):
        list(read_collected(tmp_path / "out", file))


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)


@given(st.dictionaries(names, st.binary(max_size=100), max_size=8))
def test_any_names_are_either_taken_as_they_are_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    found = collect(folder, LIMITS)
    assert {file.path for file in found.files} <= set(files)
    assert len(found.files) + len(found.rejections) + found.left_out == len(files)
    for file in found.files:
        assert file.path.isprintable()
        assert b"".join(read_collected(folder, file)) == files[file.path]
