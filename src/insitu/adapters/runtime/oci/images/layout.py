"""Reading an OCI image layout: a folder, or a tar archive of one (plain or gzip), into a folder of blobs.

Only blobs that the chosen manifest names are copied. Each is hashed while it is copied, and refused if the hash is not
its name.
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from insitu.adapters.runtime.oci.images.documents import (
    INDEX_TYPES,
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Manifest,
    choose_manifest,
    read_json,
    read_manifest,
)
from insitu.domain.errors import InsituError

_CHUNK = 1 << 20
_MAX_ARCHIVE_BYTES = 64 << 30
_MAX_NESTING = 4

BlobReader = Callable[[Descriptor], bytes]
"""Returns the verified bytes of a small blob (index, manifest, configuration)."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """The image that an index or layout leads to; ``index_digest`` if an index led to the manifest."""

    descriptor: Descriptor
    manifest: Manifest
    index_digest: str | None = None


def find_image(start: Descriptor, read: BlobReader) -> FoundImage:
    """Follow indexes from ``start`` to this machine's manifest. Raises ``ArchiveInvalid``."""
    index_digest = None
    for _ in range(_MAX_NESTING):
        data = read(start)
        document = read_json(data)
        is_index = start.media_type in INDEX_TYPES or ("manifests" in document and "layers" not in document)
        if not is_index:
            return FoundImage(start, read_manifest(data), index_digest)
        index_digest = index_digest or start.digest
        start = choose_manifest(document)
    raise InsituError("ArchiveInvalid", "the index nests too deeply")


def layout_start(layout: Path) -> Descriptor:
    """Return the one image or index that a layout's ``index.json`` names. Raises ``ArchiveInvalid``."""
    return choose_manifest(read_json(_read_small(layout / "index.json")))


def layout_reader(layout: Path) -> BlobReader:
    """Read small blobs of a layout and verify them."""

    def read(descriptor: Descriptor) -> bytes:
        data = _read_small(blob_path(layout, descriptor.digest))
        found = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if found != descriptor.digest:
            raise InsituError("ArchiveInvalid", f"a blob's content is {found}, its name says {descriptor.digest}")
        return data

    return read


def blob_path(layout: Path, digest: str) -> Path:
    """Return where a layout keeps a blob."""
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def copy_blob(source: IO[bytes], descriptor: Descriptor, target: Path) -> None:
    """Copy and hash a blob; the target appears whole and verified, or not at all. Raises ``ArchiveInvalid``."""
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    digest, size = hashlib.sha256(), 0
    try:
        with draft.open("wb") as file:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > descriptor.size:
                    break
                digest.update(chunk)
                file.write(chunk)
        found = f"sha256:{digest.hexdigest()}"
        if size != descriptor.size or found != descriptor.digest:
            raise InsituError("ArchiveInvalid", f"a blob is not what its manifest says: {descriptor.digest}")
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def spread_archive(archive: Path, folder: Path) -> None:
    """Write the layout that a tar archive holds into ``folder``: index, and blobs by their digests; nothing else.

    Raises ``ArchiveInvalid``.
    """
    (folder / "blobs" / "sha256").mkdir(parents=True)
    left = _MAX_ARCHIVE_BYTES
    try:
        with tarfile.open(archive, "r:*") as tar:
            for entry in tar:
                name = entry.name.removeprefix("./")
                wanted = name == "index.json" or (name.startswith("blobs/sha256/") and _is_hex(name[13:]))
                if not wanted or not entry.isreg():
                    continue
                left -= entry.size
                content = tar.extractfile(entry)
                if left < 0 or content is None:
                    raise InsituError("ArchiveInvalid", "the archive is larger than allowed")
                with (folder / name).open("wb") as file:
                    while chunk := content.read(_CHUNK):
                        file.write(chunk)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InsituError("ArchiveInvalid", f"the archive cannot be read: {error}") from error


def _is_hex(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def _read_small(path: Path) -> bytes:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InsituError("ArchiveInvalid", f"the image has no {path.name}: {error.strerror}") from error
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise InsituError("ArchiveInvalid", f"{path.name} is not a file")
        data = file.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InsituError("ArchiveInvalid", f"{path.name} is larger than {MAX_DOCUMENT_BYTES} bytes")
    return data
