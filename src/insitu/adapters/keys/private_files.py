"""Files that only their owner reads, written whole or not at all."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from insitu.adapters.storage_failures import storage_errors
from insitu.domain.errors import InsituError

__all__ = ["create_once", "private_folder", "read_private"]


def private_folder(folder: Path) -> None:
    """Create a folder (and its parents) that only its owner enters. Raises ``StorageFailed``."""
    with storage_errors(str(folder)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def create_once(path: Path, content: Callable[[], bytes]) -> bytes:
    """Return the file's bytes; where it isn't there, create it first with mode 0600.

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
            raise InsituError("KeyNotFound", f"{path} is not there") from None


def _link(path: Path, content: bytes) -> None:
    """Give the content its name; a name that is taken by now keeps its owner."""
    written = _written(path, content)
    try:
        path.hardlink_to(written)
        _sync(path.parent)
    except FileExistsError:
        return
    finally:
        written.unlink()


def _written(path: Path, content: bytes) -> Path:
    """Write a neighbour of ``path``, mode 0600 from its first byte on, safe on the disk."""
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(neighbour, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return neighbour


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
