"""The images of this machine: an OCI image layout, and beside it every image unpacked and never written again.

::

    <root>/oci-layout  index.json  blobs/sha256/<hex>       readable by every OCI tool
    <root>/sha256/<manifest hex>/rootfs                     what containers see
    <root>/sha256/<manifest hex>/{image.json,lock}          what it is; a shared lock of every run that uses it
"""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread

from insitu.adapters.runtime.oci.images import layout as oci_layout
from insitu.adapters.runtime.oci.images.contents import find_contents
from insitu.adapters.runtime.oci.images.documents import (
    MANIFEST_TYPES,
    Descriptor,
    Manifest,
    check_digest,
    read_config,
    read_manifest,
)
from insitu.adapters.runtime.oci.images.host import HostImage, build_host_image, host_key
from insitu.adapters.runtime.oci.images.java import build_java_image, find_jdk, java_key
from insitu.adapters.runtime.oci.images.layers import Budget, unpack_layer
from insitu.adapters.runtime.oci.images.layout import FoundImage, blob_path, copy_blob, find_image
from insitu.adapters.runtime.oci.trees import delete_tree, tree_digest
from insitu.domain.errors import InsituError

_MOUNT_POINTS = ("dev", "mnt", "proc", "sys", "tmp")
_NAMES = ("group", "hosts", "passwd")


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of this machine.

    Attributes
    ----------
    name, tag
        The name under which it was built, imported or pulled; for people.
    digest
        ``sha256:`` digest of its manifest: what a DDO's ``checksum`` names.
    index_digest
        The index that led to the manifest, if there was one.
    size_bytes
        Total size of the stored layers.
    environment
        The image's own variables, for instance PATH.
    tree
        SHA-256 over the unpacked files, for ``verify``.
    key
        What a built image was made of, so that it need not be built again.
    contents
        What is in it, as :class:`ImageContents`; None for one that an older version unpacked.
    """

    name: str
    tag: str
    digest: str
    index_digest: str | None
    architecture: str
    size_bytes: int
    environment: Mapping[str, str] = field(default_factory=dict)
    tree: str = ""
    key: str = ""
    contents: Mapping[str, Any] | None = None


class ImageStore:
    """Images below a folder. Every method works from what is there; blocking work runs in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def build_from_host(
        self,
        packages: Sequence[str],
        name: str,
        tag: str,
        *,
        interpreter: Path = Path("/usr/bin/python3"),
        site_packages: Sequence[Path] = (),
    ) -> StoredImage:
        """Build an image from the host's Python and the named distributions with everything that they require.

        The same inputs give the same digest. ``site_packages`` are the folders to find the distributions in, by
        default those of this process. Raises ``ExtraMissing`` for a distribution that is not installed.
        """
        wanted = HostImage(interpreter, tuple(sorted(set(packages))), tuple(site_packages))
        return await to_thread.run_sync(
            self._build, partial(host_key, wanted), partial(build_host_image, wanted), name, tag
        )

    async def build_java(self, name: str, tag: str, *, jdk: Path | None = None) -> StoredImage:
        """Build an image with a Java runtime of this machine's JDK: ``jdk``, or else the one that is found.

        The same JDK gives the same digest. Raises ``ExtraMissing`` if there is none, or if it cannot link a runtime.
        """
        found = find_jdk(jdk)
        return await to_thread.run_sync(
            self._build, partial(java_key, found), partial(build_java_image, found), name, tag
        )

    async def import_path(self, path: Path, name: str, tag: str) -> StoredImage:
        """Import an OCI image layout, a folder or a tar archive. Raises ``ArchiveInvalid``."""
        return await to_thread.run_sync(partial(self._import, path, name, tag))

    async def pull(self, reference: str, *, insecure: bool = False) -> StoredImage:
        """Pull ``host[:port]/repository@sha256:…`` from a registry; nothing is trusted but the digest.

        ``insecure`` allows plain HTTP (always allowed on loopback). Raises ``ImageUnavailable`` if the registry does
        not answer or does not have the image, ``ArchiveInvalid`` if it answers with something else.
        """
        from insitu.adapters.runtime.oci.images.registry import RegistryClient

        client = RegistryClient.of(reference, insecure=insecure)
        with self._scratch() as scratch:
            found = await client.fetch(scratch)
            return await to_thread.run_sync(partial(self._adopt, scratch, found, client.repository, "latest", ""))

    async def list(self) -> tuple[StoredImage, ...]:
        """List the images, by name and tag."""
        return await to_thread.run_sync(self._list)

    async def find(self, digest: str) -> StoredImage:
        """Return the image with this manifest or index digest. Raises ``ImageUnknown``."""
        return await to_thread.run_sync(partial(self.find_now, digest))

    async def verify(self, digest: str) -> StoredImage:
        """Hash every blob and the unpacked files again. Raises ``ArchiveInvalid`` or ``ImageUnknown``."""
        return await to_thread.run_sync(partial(self._verify, digest))

    async def remove(self, digest: str) -> None:
        """Delete an image and the blobs that no other needs. Raises ``ImageUnknown``, ``ImageInUse``."""
        await to_thread.run_sync(partial(self._remove, digest))

    async def rootfs(self, digest: str) -> Path:
        """Return the unpacked files of an image; never write there. Raises ``ImageUnknown``."""
        return self._home((await self.find(digest)).digest) / "rootfs"

    def find_now(self, digest: str) -> StoredImage:
        """Do the same as ``find``, without a thread: it reads one small file."""
        check_digest(digest)
        with suppress(FileNotFoundError):
            return _read_image(self._home(digest) / "image.json")
        for image in self._list():
            if image.index_digest == digest:
                return image
        raise InsituError("ImageUnknown", f"no image {digest} is here")

    def hold(self, digest: str) -> tuple[Path, int]:
        """Return the files of an image and a descriptor: while it, or a copy of it, is open, ``remove`` refuses."""
        home = self._home(self.find_now(digest).digest)
        lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
        return home / "rootfs", lock

    # --------------------------------------------------------------------------------------------------- blocking

    def _build(
        self, key_of: Callable[[], str], build: Callable[[Path], Descriptor], name: str, tag: str
    ) -> StoredImage:
        key = key_of()
        for image in self._list():
            if image.key == key:
                return self._name(image, name, tag)
        with self._scratch() as scratch:
            descriptor = build(scratch)
            manifest = read_manifest(blob_path(scratch, descriptor.digest).read_bytes())
            return self._adopt(scratch, FoundImage(descriptor, manifest), name, tag, key)

    def _import(self, path: Path, name: str, tag: str) -> StoredImage:
        with self._scratch() as scratch:
            source = path
            if not path.is_dir():
                if not path.is_file():
                    raise InsituError("ArchiveInvalid", f"there is no file or folder {path}")
                source = scratch / "spread"
                oci_layout.spread_archive(path, source)
            start = oci_layout.layout_start(source)
            found = find_image(start, oci_layout.layout_reader(source))
            (scratch / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            for descriptor in (found.descriptor, found.manifest.config, *found.manifest.layers):
                _copy_from(source, descriptor, scratch)
            return self._adopt(scratch, found, name, tag, "")

    def _adopt(self, scratch: Path, found: FoundImage, name: str, tag: str, key: str) -> StoredImage:
        """Unpack verified blobs, then make everything visible: first the blobs, then the files, last the index."""
        digest = found.descriptor.digest
        config = read_config(blob_path(scratch, found.manifest.config.digest).read_bytes())
        with self._lock_writing():
            home = self._home(digest)
            if (home / "image.json").exists():
                return self._name(_read_image(home / "image.json"), name, tag, locked=True)
            draft = scratch / "home"
            rootfs = draft / "rootfs"
            _unpack(scratch, found.manifest, config.diff_ids, rootfs)
            size = sum(layer.size for layer in found.manifest.layers)
            tree = tree_digest(rootfs)
            image = StoredImage(
                name, tag, digest, found.index_digest, config.architecture, size, config.environment, tree, key,
                _contents(rootfs, config.environment),
            )  # fmt: skip
            _write_json(draft / "image.json", asdict(image))
            (self._root / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
            for blob in (scratch / "blobs" / "sha256").iterdir():
                blob.rename(self._root / "blobs" / "sha256" / blob.name)
            if home.exists():  # a removal that was interrupted
                delete_tree(home)
            home.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(home)
            self._write_index()
        return image

    def _name(self, image: StoredImage, name: str, tag: str, *, locked: bool = False) -> StoredImage:
        if (image.name, image.tag) == (name, tag) and image.contents is not None:
            return image
        if not locked:
            with self._lock_writing():
                return self._name(image, name, tag, locked=True)
        contents = image.contents or _contents(self._home(image.digest) / "rootfs", image.environment)
        renamed = StoredImage(**{**asdict(image), "name": name, "tag": tag, "contents": contents})
        _write_json(self._home(image.digest) / "image.json", asdict(renamed))
        self._write_index()
        return renamed

    def _list(self) -> tuple[StoredImage, ...]:
        with suppress(FileNotFoundError):
            found = []
            for home in (self._root / "sha256").iterdir():
                with suppress(FileNotFoundError):
                    found.append(_read_image(home / "image.json"))
            return tuple(sorted(found, key=lambda image: (image.name, image.tag, image.digest)))
        return ()

    def _verify(self, digest: str) -> StoredImage:
        image = self.find_now(digest)
        manifest = self._manifest(image.digest)
        for descriptor in (manifest.config, *manifest.layers):
            with blob_path(self._root, descriptor.digest).open("rb") as file:
                found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            if found != descriptor.digest:
                raise InsituError("ArchiveInvalid", f"the stored blob {descriptor.digest} has changed")
        if tree_digest(self._home(image.digest) / "rootfs") != image.tree:
            raise InsituError("ArchiveInvalid", f"the unpacked files of {image.digest} have changed")
        return image

    def _remove(self, digest: str) -> None:
        with self._lock_writing():
            image = self.find_now(digest)
            home = self._home(image.digest)
            lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InsituError("ImageInUse", f"an execution uses {image.digest}") from None
            finally:
                os.close(lock)
            (home / "image.json").unlink()
            self._write_index()
            kept = self._blobs_in_use()
            for blob in (self._root / "blobs" / "sha256").iterdir():
                if f"sha256:{blob.name}" not in kept:
                    blob.unlink()
            delete_tree(home)

    def _blobs_in_use(self) -> set[str]:
        kept = set()
        for image in self._list():
            manifest = self._manifest(image.digest)
            kept |= {image.digest, manifest.config.digest, *(layer.digest for layer in manifest.layers)}
        return kept

    def _manifest(self, digest: str) -> Manifest:
        return read_manifest(oci_layout.layout_reader(self._root)(Descriptor("", digest, 0)))

    def _write_index(self) -> None:
        """Write ``index.json`` from what is here. It is for other tools; we never read it."""
        entries = []
        for image in self._list():
            size = blob_path(self._root, image.digest).stat().st_size
            annotations = {"org.opencontainers.image.ref.name": f"{image.name}:{image.tag}"}
            entry = Descriptor(_media_type(self._root, image.digest), image.digest, size).to_json()
            entries.append(entry | {"annotations": annotations})
        _write_json(self._root / "oci-layout", {"imageLayoutVersion": "1.0.0"})
        _write_json(self._root / "index.json", {"schemaVersion": 2, "manifests": entries})

    def _home(self, digest: str) -> Path:
        return self._root / "sha256" / digest.removeprefix("sha256:")

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """Make a folder on the same file system, so that what is ready can be renamed into place."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for abandoned in self._root.glob(".scratch-*"):
            with suppress(FileNotFoundError, BlockingIOError), _folder_lock(abandoned):
                delete_tree(abandoned)
        scratch = Path(tempfile.mkdtemp(prefix=".scratch-", dir=self._root))
        try:
            with _folder_lock(scratch):
                yield scratch
        finally:
            delete_tree(scratch)

    @contextmanager
    def _lock_writing(self) -> Iterator[None]:
        """Admit one writer at a time, of all processes."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._root / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder; a folder that nobody holds was left by a killed process. Raises ``BlockingIOError``."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(opened)


def _copy_from(source: Path, descriptor: Descriptor, scratch: Path) -> None:
    try:
        opened = os.open(blob_path(source, descriptor.digest), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise InsituError("ArchiveInvalid", f"the image lacks the blob {descriptor.digest}") from error
    with os.fdopen(opened, "rb") as file:
        copy_blob(file, descriptor, blob_path(scratch, descriptor.digest))


def _unpack(scratch: Path, manifest: Manifest, diff_ids: Sequence[str], rootfs: Path) -> None:
    if len(diff_ids) != len(manifest.layers):
        raise InsituError("ArchiveInvalid", "the image's configuration does not fit its layers")
    rootfs.mkdir(parents=True, mode=0o755)
    budget = Budget()
    for layer, diff_id in zip(manifest.layers, diff_ids, strict=True):
        unpack_layer(blob_path(scratch, layer.digest), diff_id, rootfs, budget)
    for name in _MOUNT_POINTS:
        point = rootfs / name
        if point.is_symlink() or (point.exists() and not point.is_dir()):
            raise InsituError("ArchiveInvalid", f"/{name} of the image is not a folder")
        point.mkdir(exist_ok=True)
    # A stage has its own of these, which are mounted over what an image has, or over nothing.
    etc = rootfs / "etc"
    if not etc.is_symlink() and (etc.is_dir() or not etc.exists()):
        etc.mkdir(exist_ok=True)
        for name in _NAMES:
            if not (etc / name).exists() and not (etc / name).is_symlink():
                (etc / name).touch(0o644)
    # runc gives a mount the mode of this folder, and everyone writes to /tmp, whatever the image says.
    (rootfs / "tmp").chmod(0o1777)


def _contents(rootfs: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    return find_contents(rootfs, environment).model_dump(mode="json")


def _media_type(root: Path, digest: str) -> str:
    document = json.loads(blob_path(root, digest).read_bytes())
    return str(document.get("mediaType") or MANIFEST_TYPES[0])


def _read_image(path: Path) -> StoredImage:
    return StoredImage(**json.loads(path.read_text("utf-8")))


def _write_json(path: Path, value: Any) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.write_text(json.dumps(value, indent=1, sort_keys=True), "utf-8")
    draft.rename(path)
