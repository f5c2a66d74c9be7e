"""Writing what a server sends into a folder: completely or not at all, only inside the folder, without overwriting."""

import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from insitu.domain.errors import InsituError
from insitu.domain.file_names import safe_path

PARTIAL_PREFIX, PARTIAL_SUFFIX = ".insitu-", ".part"
"""Names of files that are being received. Files with such names, left by interrupted downloads, do no harm."""


class Destination:
    """A folder on this machine to download files into; it is created when the first file arrives.

    Links inside the folder are never followed. Several files may be saved at the same time.

    Parameters
    ----------
    overwrite
        Replace files that have the name of a new one. Otherwise existing files are never touched.
    """

    def __init__(self, folder: Path | str, *, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self._overwrite = overwrite

    async def missing(self, files: Mapping[str, str | None]) -> list[str]:
        """Return which of these files (name → SHA-256, or None if unknown) are still to be fetched.

        Call it before anything is paid or fetched. ``{}`` requires an empty or a new folder.

        Raises ``FolderNotEmpty`` if something else is there, ``StorageFailed`` if the folder can't be written, and
        ``InvalidDocument`` for an unsafe name.
        """
        for name in files:
            safe_path(name)
        return await run_sync(self._missing, files)

    def _missing(self, files: Mapping[str, str | None]) -> list[str]:
        nearest = next(path for path in (self.folder, *self.folder.absolute().parents) if os.path.lexists(path))
        if not nearest.is_dir():
            raise InsituError("FolderNotEmpty", f"{nearest} is not a folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise InsituError("StorageFailed", f"{nearest} cannot be written")
        there = set[str]()
        if nearest == self.folder and not self._overwrite:
            for path in _inside(self.folder):
                name = path.relative_to(self.folder).as_posix()
                if name not in files or not _holds(path, files[name]):
                    raise InsituError("FolderNotEmpty", f"{self.folder} contains {name}, which is not replaced")
                there.add(name)
        return [name for name in files if name not in there]

    async def save(self, chunks: AsyncIterator[bytes], name: str, *, sha256: str | None = None) -> Path:
        """Write a file with a name chosen by a server, and return its path.

        Raises ``InvalidDocument`` for an unsafe name, ``FolderNotEmpty`` if the name is taken, and ``ChecksumMismatch``
        if the bytes differ from what was promised. Then nothing is left behind.
        """
        *parents, last = safe_path(name).split("/")
        partial, digest = f"{PARTIAL_PREFIX}{uuid.uuid4().hex}{PARTIAL_SUFFIX}", hashlib.sha256()
        parent = await run_sync(self._open, parents)
        try:
            opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=parent)
            async with await anyio.open_file(opened, "wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    await file.write(chunk)
            if sha256 is not None and digest.hexdigest() != sha256:
                raise InsituError("ChecksumMismatch", f"{name} differs from the published file", file=name)
            await run_sync(self._place, parent, partial, last)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=parent)
            os.close(parent)
        return self.folder.joinpath(*parents, last)

    def _open(self, parents: Sequence[str]) -> int:
        """Create and open the folder of a file, one level after the other."""
        self.folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        for parent in parents:
            outer = opened
            try:
                with suppress(FileExistsError):
                    os.mkdir(parent, dir_fd=outer)
                opened = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=outer)
            except NotADirectoryError:
                raise InsituError("FolderNotEmpty", f"{parent} in {self.folder} is a link or a file") from None
            finally:
                os.close(outer)
        return opened

    def _place(self, parent: int, partial: str, name: str) -> None:
        """Give a complete file its name. Taking the free name first works on every file system, unlike hard links."""
        try:
            if not self._overwrite:
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=parent))
            os.replace(partial, name, src_dir_fd=parent, dst_dir_fd=parent)
        except (FileExistsError, IsADirectoryError):
            raise InsituError("FolderNotEmpty", f"{name} is already in {self.folder}") from None


def _inside(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder except folders and what interrupted downloads left."""
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent, name) for name in (*names, *folders)):
            passing = path.name.startswith(PARTIAL_PREFIX) and path.name.endswith(PARTIAL_SUFFIX)
            if path.is_symlink() or not (passing or path.is_dir()):
                yield path


def _holds(path: Path, sha256: str | None) -> bool:
    if sha256 is None or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
