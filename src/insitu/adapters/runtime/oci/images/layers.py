"""Unpacking layers: a tar reader that cannot be talked out of its folder.

Parents are opened with openat2 and RESOLVE_IN_ROOT, so a link of the image (``/bin`` → ``usr/bin``) means what it means
inside, and never a file of the host. ``..``, absolute names, devices and pipes are refused; owners and set-user-id bits
are dropped.
"""

import errno
import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from insitu.adapters.runtime.oci import linux
from insitu.adapters.runtime.oci.trees import delete_tree
from insitu.domain.errors import InsituError

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_CHUNK = 1 << 20
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAX_DEPTH = 128
_OUR_FAULT = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(slots=True)
class Budget:
    """How much an image may still unpack to, so that a bomb ends here and not when the disk is full."""

    bytes_left: int = 32 << 30
    entries_left: int = 1_000_000

    def take(self, size: int, entries: int = 0) -> None:
        """Count bytes and entries. Raises ``ArchiveInvalid`` when they are used up."""
        self.bytes_left -= size
        self.entries_left -= entries
        if self.bytes_left < 0 or self.entries_left < 0:
            raise InsituError("ArchiveInvalid", "the image is larger than allowed when unpacked")


@dataclass(slots=True)
class _HashingReader:
    """The uncompressed stream: hashed for the diff-id, counted for the budget."""

    source: IO[bytes]
    budget: Budget
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def read(self, size: int) -> bytes:
        """Read up to ``size`` bytes. Raises ``ArchiveInvalid`` when the budget is used up."""
        data = self.source.read(size)
        self.budget.take(len(data))
        self.digest.update(data)
        return data


def unpack_layer(blob: Path, diff_id: str, rootfs: Path, budget: Budget) -> None:
    """Apply one layer to ``rootfs``. Raises ``ArchiveInvalid`` if it is unsafe, broken, or not that of ``diff_id``."""
    try:
        with blob.open("rb") as file, _decompress(file) as stream:
            reader = _HashingReader(stream, budget)
            with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r|", bufsize=_CHUNK) as archive:
                _Layer(rootfs, budget).apply(archive)
            while reader.read(_CHUNK):  # padding after the end belongs to the digest
                pass
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise InsituError("ArchiveInvalid", f"a layer is broken: {error}") from error
    except OSError as error:
        code = "StorageFailed" if error.errno in _OUR_FAULT else "ArchiveInvalid"
        raise InsituError(code, f"a layer could not be unpacked: {error.strerror}") from error
    found = f"sha256:{reader.digest.hexdigest()}"
    if found != diff_id:
        raise InsituError("ArchiveInvalid", f"a layer's content is {found}, its image says {diff_id}")


@contextmanager
def _decompress(file: IO[bytes]) -> Iterator[IO[bytes]]:
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP_MAGIC):
        with gzip.GzipFile(fileobj=file) as unzipped:
            yield unzipped  # type: ignore[misc]
    elif magic == _ZSTD_MAGIC:
        import zstandard

        try:
            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as unzipped:
                yield unzipped
        except zstandard.ZstdError as error:
            raise InsituError("ArchiveInvalid", f"a layer is broken: {error}") from error
    else:
        yield file


class _Layer:
    """One layer being applied. It remembers what it has added, because an opaque folder hides only lower layers."""

    def __init__(self, rootfs: Path, budget: Budget) -> None:
        self.rootfs = rootfs
        self.budget = budget
        self.added: set[str] = set()

    def apply(self, archive: tarfile.TarFile) -> None:
        root = os.open(self.rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for entry in archive:
                self.budget.take(0, 1)
                parts = _safe_parts(entry.name)
                if parts:
                    self._entry(archive, entry, root, parts)
        finally:
            os.close(root)

    def _entry(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, root: int, parts: list[str]) -> None:
        *above, name = parts
        with _folder(root, above) as parent:
            if name == _OPAQUE:
                self._hide_all(parent, above)
            elif name.startswith(_WHITEOUT):
                hidden = name.removeprefix(_WHITEOUT)
                if hidden in ("", ".", ".."):
                    raise InsituError("ArchiveInvalid", f"an unsafe whiteout in a layer: {entry.name[:100]!r}")
                _delete(parent, hidden)
            else:
                self.added.update("/".join(parts[:length]) for length in range(1, len(parts) + 1))
                _write(archive, entry, root, parent, name)

    def _hide_all(self, parent: int, above: list[str]) -> None:
        for name in os.listdir(f"/proc/self/fd/{parent}"):  # noqa: PTH208 (a descriptor has no Path)
            if "/".join([*above, name]) not in self.added:
                _delete(parent, name)


def _safe_parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name or len(parts) > _MAX_DEPTH:
        raise InsituError("ArchiveInvalid", f"an unsafe name in a layer: {name[:100]!r}")
    return parts


@contextmanager
def _folder(root: int, parts: list[str]) -> Iterator[int]:
    """Open a folder of the image; make it if the layer left it out."""
    path = "/".join(parts) or "."
    try:
        opened = linux.open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError:
        with _folder(root, parts[:-1]) as parent:
            os.mkdir(parts[-1], 0o755, dir_fd=parent)
        opened = linux.open_in_root(root, path, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise InsituError("ArchiveInvalid", f"a layer writes below {path[:100]!r}, which is not a folder") from error
    try:
        yield opened
    finally:
        os.close(opened)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, root: int, parent: int, name: str) -> None:
    if entry.isdir():
        _make_folder(parent, name, entry.mode)
        return
    if entry.issparse() or not (entry.isreg() or entry.issym() or entry.islnk()):
        raise InsituError("ArchiveInvalid", f"a layer holds a device or pipe: {entry.name[:100]!r}")
    _delete(parent, name)
    if entry.issym():
        os.symlink(entry.linkname, name, dir_fd=parent)
    elif entry.islnk():
        *above, target = _safe_parts(entry.linkname) or [""]
        with _folder(root, above) as source:
            try:
                os.link(target, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
            except OSError as error:
                raise InsituError("ArchiveInvalid", f"a hard link without a target: {entry.name[:100]!r}") from error
    else:
        _write_file(archive, entry, parent, name)


def _write_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, parent: int, name: str) -> None:
    source = archive.extractfile(entry)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open(name, flags, 0o600, dir_fd=parent)
    try:
        while source is not None and (chunk := source.read(_CHUNK)):
            while chunk:
                chunk = chunk[os.write(opened, chunk) :]
        os.fchmod(opened, entry.mode & 0o777)
        # Compiled Python is valid only beside a source with the same time.
        os.utime(opened, (max(entry.mtime, 0), max(entry.mtime, 0)))
    finally:
        os.close(opened)


def _make_folder(parent: int, name: str, mode: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    try:
        opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except OSError:  # a folder replaces a file or link
        _delete(parent, name)
        os.mkdir(name, dir_fd=parent)
        opened = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        # Owner bits, so that an unprivileged owner can write further layers and delete the image again.
        os.fchmod(opened, (mode & 0o1777) | 0o700)
    finally:
        os.close(opened)


def _delete(parent: int, name: str) -> None:
    delete_tree(Path(f"/proc/self/fd/{parent}") / name)
