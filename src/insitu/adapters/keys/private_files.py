"""Files that only their owner can read, written completely or not at all."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from insitu.adapters.storage_failures import storage_errors
from insitu.domain.errors import InsituError


def private_folder(folder: Path) -> None:
    """Create a folder, and its parents, that only its owner can enter. Raises ``StorageFailed``."""
    with storage_errors(str(folder)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def create_once(path: Path, content: Callable[[], bytes]) -> bytes:
    """Return the file's bytes; if it is missing, create it first with mode 0600.

    Of several processes that create it at once, one wins, and all return the winner's bytes. A crash leaves no
    partial file. Raises ``StorageFailed``.
    """
    with storage_errors(str(path)):
        with suppress(FileNotFoundError):
            return path.read_bytes()
        private_folder(path.parent)
        _link(path, content())
        return path.read_bytes()


def read_private(path: Path) -> bytes:
    """Return the bytes of a file. Raises ``KeyNotFound``, ``StorageFailed``."""
    with storage_errors(str(path)):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise InsituError("KeyNotFound", f"{path} does not exist") from None


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make other processes that want the same folder wait. Raises ``StorageFailed``."""
    with storage_errors(str(folder)):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Replace a file's bytes atomically, keeping its owner; one process at a time. Raises ``StorageFailed``.

    A crash leaves the old bytes or the new ones, and at most a neighbour that the next call removes.
    """
    with storage_errors(str(path)):
        neighbour = path.with_name(f".{path.name}.new")
        neighbour.unlink(missing_ok=True)
        owner = path.stat()
        _write(neighbour, content, (owner.st_uid, owner.st_gid))
        neighbour.replace(path)
        _sync(path.parent)


def _link(path: Path, content: bytes) -> None:
    """Give the content its name, unless the name is taken by now."""
    neighbour = _write_neighbour(path, content)
    try:
        path.hardlink_to(neighbour)
        _sync(path.parent)
    except FileExistsError:
        return
    finally:
        neighbour.unlink()


def _write_neighbour(path: Path, content: bytes) -> Path:
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    _write(neighbour, content)
    return neighbour


def _write(path: Path, content: bytes, owner: tuple[int, int] | None = None) -> None:
    """Write a new file that has mode 0600 from its first byte, and sync it to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if owner is not None:
            os.fchown(descriptor, *owner)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
