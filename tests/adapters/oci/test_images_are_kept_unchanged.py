"""Images are built, imported, verified and removed; their content always matches the digest."""

import json
import os
import signal
import stat
import sys
from pathlib import Path

import anyio
import pytest

from insitu.adapters.runtime.oci.images.documents import architecture
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.domain.errors import InsituError
from tests.adapters.oci.layouts import Layout, file, folder, link

pytestmark = pytest.mark.needs("linux")


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.mark.parametrize("packing", ["gzip", "zstd", "plain"])
async def test_a_layout_is_imported_whatever_its_layers_are_packed_with(
    store: ImageStore, layout: Layout, packing: str
) -> None:
    described = layout.image([file("etc/name", b"lower")], [file("etc/name", b"upper")], packing=packing)
    image = await store.import_path(layout.index(described), "team/tool", "1")
    assert image.digest == described["digest"]
    assert (image.name, image.tag, image.index_digest) == ("team/tool", "1", None)
    assert image.environment == {"PATH": "/opt/bin:/bin"}
    rootfs = await store.rootfs(image.digest)
    assert (rootfs / "etc" / "name").read_bytes() == b"upper"
    assert {"dev", "mnt", "proc", "sys", "tmp"} <= {path.name for path in rootfs.iterdir()}
    assert await store.list() == (image,)
    assert await store.verify(image.digest) == image


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
async def test_an_archive_of_a_layout_is_imported(
    store: ImageStore, layout: Layout, tmp_path: Path, suffix: str
) -> None:
    described = layout.image([file("x", b"1")])
    layout.index(described)
    image = await store.import_path(layout.archive(tmp_path / f"image.{suffix}"), "x", "y")
    assert image.digest == described["digest"]


async def test_an_index_leads_to_this_machines_image_and_is_remembered(store: ImageStore, layout: Layout) -> None:
    mine, other = layout.image([file("x", b"mine")]), layout.image([file("x", b"other")], architecture="mips")
    index = {
        "schemaVersion": 2,
        "manifests": [
            other | {"platform": {"os": "linux", "architecture": "mips"}},
            mine | {"platform": {"os": "linux", "architecture": architecture()}},
        ],
    }
    top = layout.blob(json.dumps(index).encode(), "application/vnd.oci.image.index.v1+json")
    image = await store.import_path(layout.index(top), "x", "y")
    assert (image.digest, image.index_digest) == (mine["digest"], top["digest"])
    assert await store.find(top["digest"]) == image


@pytest.mark.parametrize("mode", [None, 0o755, 0o700, 0o555])
async def test_every_image_has_a_tmp_that_all_may_write(store: ImageStore, layout: Layout, mode: int | None) -> None:
    entries = [file("bin/x")] if mode is None else [folder("tmp", mode), file("bin/x")]
    layout.index(layout.image(entries))
    image = await store.import_path(layout.root, "x", "y")
    rootfs, lock = store.hold(image.digest)
    os.close(lock)
    assert stat.S_IMODE((rootfs / "tmp").stat().st_mode) == 0o1777
    await store.verify(image.digest)


async def test_an_image_imported_twice_is_stored_once(store: ImageStore, layout: Layout) -> None:
    root = layout.index(layout.image([file("x", b"1")]))
    first = await store.import_path(root, "x", "1")
    again = await store.import_path(root, "renamed", "2")
    assert again.digest == first.digest
    assert [(image.name, image.tag) for image in await store.list()] == [("renamed", "2")]


async def test_a_changed_blob_is_refused(store: ImageStore, layout: Layout) -> None:
    described = layout.image([file("x", b"1")])
    manifest = json.loads((layout.root / "blobs/sha256" / described["digest"][7:]).read_text())
    blob = layout.root / "blobs/sha256" / manifest["layers"][0]["digest"][7:]
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    with pytest.raises(InsituError, match="not what its manifest says"):
        await store.import_path(layout.index(described), "x", "y")
    assert await store.list() == ()


@pytest.mark.parametrize(
    "damage", ["no index", "no manifest", "wrong diff", "too few diffs", "windows", "mips only", "link at /mnt", "two"]
)
async def test_a_broken_layout_is_refused_and_leaves_nothing(
    store: ImageStore, layout: Layout, tmp_path: Path, damage: str
) -> None:
    if damage == "wrong diff":
        described = layout.image([file("x")], diff_ids=["sha256:" + "0" * 64])
    elif damage == "too few diffs":
        described = layout.image([file("x")], diff_ids=[])
    elif damage == "windows":
        described = layout.image([file("x")], os="windows")
    elif damage == "link at /mnt":
        described = layout.image([link("mnt", "/home")])
    else:
        described = layout.image([file("x")])
    entries = (
        [described | {"platform": {"os": "linux", "architecture": "mips"}}] if damage == "mips only" else [described]
    )
    root = layout.index(*entries, *([layout.image([file("y")])] if damage == "two" else []))
    if damage == "no index":
        (root / "index.json").unlink()
    if damage == "no manifest":
        (root / "blobs/sha256" / described["digest"][7:]).unlink()
    with pytest.raises(InsituError) as caught:
        await store.import_path(root, "x", "y")
    assert caught.value.code == "ArchiveInvalid"
    assert await store.list() == ()
    assert not list((tmp_path / "images").glob(".scratch-*"))


async def test_a_change_on_disk_is_found(store: ImageStore, layout: Layout) -> None:
    image = await store.import_path(layout.index(layout.image([folder("etc"), file("etc/x", b"1")])), "x", "y")
    target = await store.rootfs(image.digest) / "etc" / "x"
    target.write_bytes(b"2")
    with pytest.raises(InsituError, match="have changed"):
        await store.verify(image.digest)
    target.write_bytes(b"1")
    assert await store.verify(image.digest) == image
    target.chmod(0o777)
    with pytest.raises(InsituError, match="have changed"):
        await store.verify(image.digest)


async def test_remove_keeps_the_blobs_that_others_need(store: ImageStore, layout: Layout, tmp_path: Path) -> None:
    shared = [file("base", b"shared")]
    first, second = layout.image(shared), layout.image(shared, [file("more", b"2")])
    one = await store.import_path(layout.index(first), "one", "1")
    two = await store.import_path(layout.index(second), "two", "2")
    await store.remove(one.digest)
    assert await store.list() == (two,)
    await store.verify(two.digest)
    await store.remove(two.digest)
    assert await store.list() == ()
    assert list((tmp_path / "images" / "blobs" / "sha256").iterdir()) == []
    with pytest.raises(InsituError) as caught:
        await store.remove(two.digest)
    assert caught.value.code == "ImageUnknown"


async def test_an_image_in_use_is_not_removed(store: ImageStore, layout: Layout) -> None:
    image = await store.import_path(layout.index(layout.image([file("x")])), "x", "y")
    _, lock = store.hold(image.digest)
    with pytest.raises(InsituError) as caught:
        await store.remove(image.digest)
    assert caught.value.code == "ImageInUse"
    os.close(lock)
    await store.remove(image.digest)


@pytest.mark.parametrize("digest", ["", "latest", "sha256:", "sha256:../../etc", "sha256:" + "A" * 64])
async def test_a_malformed_digest_is_refused(store: ImageStore, digest: str) -> None:
    with pytest.raises(InsituError):
        await store.find(digest)


IMPORT = """
import sys, anyio
from pathlib import Path
from insitu.adapters.runtime.oci.images.store import ImageStore
anyio.run(ImageStore(Path(sys.argv[1])).import_path, Path(sys.argv[2]), "x", "y")
"""


@pytest.mark.parametrize("moment", [0.3, 0.4, 0.5, 0.7])
async def test_an_import_that_is_killed_leaves_a_whole_image_or_none(
    store: ImageStore, layout: Layout, tmp_path: Path, moment: float
) -> None:
    described = layout.image([file(str(n), os.urandom(2000)) for n in range(3000)])
    root = layout.index(described)
    command = [sys.executable, "-c", IMPORT, str(tmp_path / "images"), str(root)]
    async with await anyio.open_process(command) as process:
        with anyio.move_on_after(moment):
            await process.wait()
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
    for image in await store.list():
        await store.verify(image.digest)
    image = await store.import_path(root, "x", "y")
    assert await store.verify(image.digest) == image
    assert not list((tmp_path / "images").glob(".scratch-*"))


async def test_the_same_host_builds_the_same_image_and_another_tool_reads_it(store: ImageStore, tmp_path: Path) -> None:
    first = await store.build_from_host(["click"], "insitu/python", "a")
    other = ImageStore(tmp_path / "other")
    second = await other.build_from_host(["click"], "insitu/python", "b")
    assert first.digest == second.digest
    assert await store.build_from_host(["click"], "insitu/python", "a") == first
    rootfs = await store.rootfs(first.digest)
    assert list(rootfs.rglob("click/__init__.py"))
    assert list(rootfs.rglob("click/__pycache__/__init__.*.pyc"))
    assert not list(rootfs.rglob("*.pth"))
    index = json.loads((tmp_path / "images" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == first.digest
    assert index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] == "insitu/python:a"


async def test_an_unknown_distribution_is_named(store: ImageStore) -> None:
    with pytest.raises(InsituError, match="no-such-distribution is not installed"):
        await store.build_from_host(["no-such-distribution"], "x", "y")
