"""A registry is only asked for digests and trusted for nothing. The first tests use a real registry."""

import hashlib
import json
import os
import socket
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu.adapters.runtime.oci.images.documents import INDEX_TYPES, MANIFEST_TYPES, architecture
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.domain.errors import InsituError
from tests.adapters.oci.layouts import Layout, file
from tests.adapters.oci.registries import Answer, push


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


@pytest.mark.needs("registry")
async def test_an_image_is_pulled_by_its_digest(store: ImageStore, tmp_path: Path, registry: str) -> None:
    layout = Layout(tmp_path / "layout")
    described = layout.image([file("etc/x", b"pulled")], [file("big", os.urandom(1 << 20))])
    reference = await anyio.to_thread.run_sync(push, registry, "team/tool", layout, described)
    image = await store.pull(reference)
    assert (image.name, image.digest) == ("team/tool", described["digest"])
    assert (await store.rootfs(image.digest) / "etc" / "x").read_bytes() == b"pulled"
    assert await store.verify(image.digest) == image
    assert await store.pull(reference) == image


@pytest.mark.needs("registry")
async def test_an_index_digest_gives_this_machines_image(store: ImageStore, tmp_path: Path, registry: str) -> None:
    layout = Layout(tmp_path / "layout")
    mine, other = layout.image([file("x", b"mine")]), layout.image([file("x", b"other")], architecture="mips")
    entries = [
        other | {"platform": {"os": "linux", "architecture": "mips"}},
        mine | {"platform": {"os": "linux", "architecture": architecture()}},
    ]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": entries}
    top = layout.blob(json.dumps(index).encode(), INDEX_TYPES[0])
    image = await store.pull(await anyio.to_thread.run_sync(push, registry, "multi", layout, top))
    assert (image.digest, image.index_digest) == (mine["digest"], top["digest"])


@pytest.mark.needs("registry")
async def test_a_digest_that_the_registry_does_not_have_is_reported(store: ImageStore, registry: str) -> None:
    with pytest.raises(InsituError) as caught:
        await store.pull(f"{registry}/team/tool@sha256:{'0' * 64}")
    assert caught.value.code == "ImageUnavailable"


@pytest.mark.parametrize(
    "reference",
    [
        "tool",
        "host/tool",
        "host/tool:1",
        "host/tool@sha256:abc",
        "host/../x@sha256:" + "0" * 64,
        "host/T@sha256:" + "0" * 64,
    ],
)
async def test_only_a_digest_names_an_image(store: ImageStore, reference: str) -> None:
    with pytest.raises(InsituError) as caught:
        await store.pull(reference)
    assert caught.value.code == "InvalidRequest"


async def test_a_registry_that_does_not_answer_is_reported(store: ImageStore) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        reference = f"127.0.0.1:{closed.getsockname()[1]}/x@sha256:{'0' * 64}"
        with pytest.raises(InsituError) as caught:
            await store.pull(reference)
    assert caught.value.code == "ImageUnavailable"


# ------------------------------------------------------------------------------------ registries that misbehave


@pytest.fixture
def blobs(tmp_path: Path) -> dict[str, bytes]:
    """Return a small image's blobs by digest; the manifest is under "manifest"."""
    layout = Layout(tmp_path / "served")
    described = layout.image([file("x", b"1")])
    found = {f"sha256:{path.name}": path.read_bytes() for path in (layout.root / "blobs/sha256").iterdir()}
    return found | {"manifest": described["digest"].encode()}


def plain(blobs: dict[str, bytes], path: str) -> Answer:
    data = blobs.get(path.rsplit("/", 1)[-1])
    return (200, {"Content-Type": MANIFEST_TYPES[0]}, data) if data else (404, {}, b"{}")


async def test_a_blob_with_other_bytes_is_refused(
    store: ImageStore, serve: Any, blobs: dict[str, bytes], tmp_path: Path
) -> None:
    wanted = blobs["manifest"].decode()
    layer = json.loads(blobs[wanted])["layers"][0]["digest"]
    changed = blobs | {layer: bytes(len(blobs[layer]))}
    address = serve(lambda path, _: plain(changed, path))
    with pytest.raises(InsituError) as caught:
        await store.pull(f"{address}/x@{wanted}")
    assert caught.value.code == "ArchiveInvalid"
    longer = blobs | {layer: blobs[layer] + b"more"}
    address = serve(lambda path, _: plain(longer, path))
    with pytest.raises(InsituError, match="not what its manifest says"):
        await store.pull(f"{address}/x@{wanted}")
    assert await store.list() == ()
    assert not list((tmp_path / "images").glob(".scratch-*"))


async def test_a_different_manifest_is_refused(store: ImageStore, serve: Any, blobs: dict[str, bytes]) -> None:
    address = serve(lambda path, _: (200, {}, b"{}"))
    with pytest.raises(InsituError) as caught:
        await store.pull(f"{address}/x@{blobs['manifest'].decode()}")
    assert caught.value.code == "ArchiveInvalid"


async def test_a_token_is_fetched_and_not_shown_to_the_storage_host(
    store: ImageStore, serve: Any, blobs: dict[str, bytes]
) -> None:
    shown: list[tuple[str, str | None]] = []

    def storage(path: str, headers: dict[str, str]) -> Answer:
        shown.append(("storage", headers.get("Authorization")))
        return plain(blobs, path)

    behind = serve(storage)

    def front(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, b'{"token": "secret"}'
        shown.append(("registry", headers.get("Authorization")))
        if headers.get("Authorization") != "Bearer secret":
            challenge = f'Bearer realm="http://{headers["Host"]}/token",service="s",scope="repository:x:pull"'
            return 401, {"WWW-Authenticate": challenge}, b""
        if "/blobs/" in path:
            return 307, {"Location": f"http://{behind}{path}"}, b""
        return plain(blobs, path)

    wanted = blobs["manifest"].decode()
    image = await store.pull(f"{serve(front)}/x@{wanted}")
    assert image.digest == wanted
    assert {authorization for host, authorization in shown if host == "storage"} == {None}
    assert ("registry", "Bearer secret") in shown


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_refusal_is_reported(store: ImageStore, serve: Any, status: int) -> None:
    address = serve(lambda path, _: (status, {"WWW-Authenticate": "Basic realm=x"}, b""))
    with pytest.raises(InsituError) as caught:
        await store.pull(f"{address}/x@sha256:{hashlib.sha256(b'').hexdigest()}")
    assert caught.value.code == "ImageUnavailable"


async def test_an_endless_redirect_ends(store: ImageStore, serve: Any) -> None:
    address = serve(lambda path, headers: (302, {"Location": f"http://{headers['Host']}{path}"}, b""))
    with pytest.raises(InsituError) as caught:
        await store.pull(f"{address}/x@sha256:{'0' * 64}")
    assert caught.value.code == "ImageUnavailable"
