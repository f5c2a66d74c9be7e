"""Layers come from strangers: every trick is refused, and every rule of the specification is followed."""

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.adapters.runtime.oci.images.layers import Budget, unpack_layer
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.adapters.runtime.oci.trees import tree_digest
from insitu.domain.errors import InsituError
from tests.adapters.oci.layouts import Entry, Layout, digest_of, file, folder, link, special, tar

pytestmark = pytest.mark.needs("linux")


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    made = tmp_path / "host" / "rootfs"
    made.mkdir(parents=True)
    (tmp_path / "host" / "secret").write_text("host")
    return made


def apply(rootfs: Path, entries: Iterable[Entry], budget: Budget | None = None) -> None:
    data = tar(entries)
    blob = rootfs.parent / "layer"
    blob.write_bytes(data)
    unpack_layer(blob, digest_of(data), rootfs, budget or Budget())


@pytest.mark.parametrize(
    "entry",
    [
        file("../escaped", b"x"),
        file("a/../../escaped", b"x"),
        file("/etc/escaped", b"x"),
        link("hard", "../secret", hard=True),
        link("hard", "/etc/passwd", hard=True),
        link("hard", "absent", hard=True),
        special("device", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
        file("a/.wh...", b""),
        file("/".join("d" * 200), b""),
        file("n" * 300, b""),
    ],
    ids=lambda entry: (entry[0] if isinstance(entry, tuple) else entry).name[:20],
)
def test_an_unsafe_entry_is_refused(rootfs: Path, entry: Entry) -> None:
    with pytest.raises(InsituError) as caught:
        apply(rootfs, [entry])
    assert caught.value.code == "ArchiveInvalid"
    assert sorted(path.name for path in rootfs.parent.iterdir()) == ["layer", "rootfs", "secret"]


@pytest.mark.parametrize("target", ["..", "/", "../../..", "."])
def test_a_link_is_followed_inside_only(rootfs: Path, target: str) -> None:
    apply(rootfs, [link("out", target), file("out/written", b"inside")])
    assert (rootfs.parent / "secret").read_text() == "host"
    assert not (rootfs.parent / "written").exists()
    assert not Path("/written").exists()
    assert len([path for path in rootfs.rglob("written") if not path.is_symlink()]) == 1


def test_a_dangling_link_is_not_a_folder(rootfs: Path) -> None:
    with pytest.raises(InsituError) as caught:
        apply(rootfs, [link("out", "/proc/self/root"), file("out/written", b"inside")])
    assert caught.value.code == "ArchiveInvalid"


def test_a_merged_usr_means_what_it_means_inside(rootfs: Path) -> None:
    apply(rootfs, [folder("usr"), folder("usr/bin"), link("bin", "usr/bin"), file("bin/tool", b"x", 0o755)])
    assert (rootfs / "usr" / "bin" / "tool").read_bytes() == b"x"
    assert (rootfs / "bin").is_symlink()


def test_an_entry_replaces_what_a_link_of_that_name_led_to(rootfs: Path) -> None:
    apply(rootfs, [link("file", "../secret"), file("file", b"mine")])
    assert (rootfs / "file").read_bytes() == b"mine"
    assert (rootfs.parent / "secret").read_text() == "host"


def test_special_bits_are_dropped_and_times_are_kept(rootfs: Path) -> None:
    apply(rootfs, [file("tool", b"x", 0o6755), folder("tmp", 0o1777)])
    assert (rootfs / "tool").stat().st_mode & 0o7777 == 0o755
    assert (rootfs / "tool").stat().st_mtime == 1_700_000_000
    assert (rootfs / "tmp").stat().st_mode & 0o7777 == 0o1777


def test_hard_links_are_one_file(rootfs: Path) -> None:
    apply(rootfs, [file("one", b"same"), link("two", "one", hard=True)])
    assert (rootfs / "one").stat().st_ino == (rootfs / "two").stat().st_ino


def test_a_whiteout_hides_what_is_below(rootfs: Path) -> None:
    apply(rootfs, [file("keep", b"1"), file("gone", b"2"), folder("dir"), file("dir/x", b"3")])
    apply(rootfs, [file(".wh.gone"), file(".wh.dir"), file(".wh.never-there")])
    assert sorted(path.name for path in rootfs.iterdir()) == ["keep"]


@pytest.mark.parametrize("last", [False, True], ids=["marker first", "marker last"])
def test_an_opaque_folder_hides_all_below_and_nothing_of_its_own_layer(rootfs: Path, last: bool) -> None:
    apply(rootfs, [folder("dir"), file("dir/old", b"1"), folder("dir/deep"), file("dir/deep/old", b"2")])
    marker, own = file("dir/.wh..wh..opq"), file("dir/deep/new", b"3")
    apply(rootfs, [own, marker] if last else [marker, own])
    assert not (rootfs / "dir" / "old").exists()
    assert (rootfs / "dir" / "deep" / "new").read_bytes() == b"3"


def test_a_bomb_ends_at_its_budget(rootfs: Path) -> None:
    with pytest.raises(InsituError, match="larger than allowed"):
        apply(rootfs, [file("big", bytes(1 << 20))], Budget(bytes_left=1 << 19))
    with pytest.raises(InsituError, match="larger than allowed"):
        apply(rootfs, [file(str(n)) for n in range(20)], Budget(entries_left=10))


def test_content_that_differs_from_the_digest_is_refused(rootfs: Path) -> None:
    (rootfs.parent / "layer").write_bytes(tar([file("x", b"1")]))
    with pytest.raises(InsituError, match="content is"):
        unpack_layer(rootfs.parent / "layer", digest_of(b"other"), rootfs, Budget())


@given(st.binary(max_size=2048))
@settings(max_examples=60)
def test_garbage_is_refused_and_never_a_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    place = tmp_path_factory.mktemp("garbage")
    (place / "layer").write_bytes(data)
    (place / "rootfs").mkdir()
    for prefix in (b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"):
        (place / "layer").write_bytes(prefix + data)
        with pytest.raises(InsituError):
            unpack_layer(place / "layer", digest_of(b"never"), place / "rootfs", Budget())


def test_a_cut_layer_is_refused(rootfs: Path) -> None:
    import gzip

    whole = gzip.compress(tar([file("x", bytes(range(256)) * 400)]))
    (rootfs.parent / "layer").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InsituError) as caught:
        unpack_layer(rootfs.parent / "layer", digest_of(b""), rootfs, Budget())
    assert caught.value.code == "ArchiveInvalid"


@pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is the oracle of this test: apt-get install umoci")
async def test_another_implementation_unpacks_the_same(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "layout")
    lower = [
        folder("a"),
        file("a/1", b"one"),
        file("a/2", b"two", 0o600),
        folder("b"),
        file("b/x", b"x"),
        link("l", "a"),
    ]
    upper = [file("a/.wh.1"), file("b/.wh..wh..opq"), folder("b"), file("b/y", b"y"), link("h", "a/2", hard=True)]
    lower += [folder(name) for name in ("dev", "mnt", "proc", "sys", "tmp")]
    described = layout.image(lower, upper)
    root = layout.index(described | {"annotations": {"org.opencontainers.image.ref.name": "test"}})
    image = await ImageStore(tmp_path / "images").import_path(root, "x", "y")
    command = ["umoci", "raw", "unpack", "--rootless", "--image", f"{root}:test", str(tmp_path / "theirs")]
    await anyio.run_process(command)
    ours = await ImageStore(tmp_path / "images").rootfs(image.digest)
    assert tree_digest(ours) == tree_digest(tmp_path / "theirs")
