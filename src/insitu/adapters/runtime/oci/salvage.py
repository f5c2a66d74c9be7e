"""Copies rootless volumes to the disk: ``python -m insitu.adapters.runtime.oci.salvage BYTES OUTPUT LOGS``.

They are in memory, in a mount namespace that ends with the container; the monitor holds them as descriptors 10 and
11. Links, pipes and set-user-id bits are reproduced as they are, so that the collector sees and rejects them. Exit
status 1: more bytes than the volume may have (sparse files).
"""

import os
import stat
import sys
from pathlib import Path

from insitu.adapters.runtime.oci.trees import open_up

_FIRST = 10
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 64


class _TooLargeError(Exception):
    """The files are larger than their volume."""


def copy_tree(source: int, target: Path, budget: int) -> None:
    """Copy the contents of the folder descriptor ``source`` into ``target``. Fails beyond ``budget`` bytes."""
    target.mkdir(parents=True, exist_ok=True)
    _Copy(budget).folder(source, target, 0)


class _Copy:
    """One copy. The algorithm cannot reach its target, so paths may be used there."""

    def __init__(self, budget: int) -> None:
        self.left = budget
        self.links: dict[int, Path] = {}

    def folder(self, source: int, target: Path, depth: int) -> None:
        with os.scandir(source) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            found = os.stat(name, dir_fd=source, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                (target / name).mkdir(mode=0o700)
                if depth < _MAX_DEPTH:
                    self._enter(source, name, target, depth)
            elif stat.S_ISLNK(found.st_mode):
                (target / name).symlink_to(os.readlink(name, dir_fd=source))
            elif stat.S_ISREG(found.st_mode):
                self._file(source, name, found, target / name)
            else:
                os.mkfifo(target / name, 0o600)

    def _enter(self, source: int, name: str, target: Path, depth: int) -> None:
        open_up(source, name)
        inner = os.open(name, _FOLDER, dir_fd=source)
        try:
            self.folder(inner, target / name, depth + 1)
        finally:
            os.close(inner)

    def _file(self, source: int, name: str, found: os.stat_result, target: Path) -> None:
        if found.st_nlink > 1 and found.st_ino in self.links:
            target.hardlink_to(self.links[found.st_ino])
            return
        self.links[found.st_ino] = target
        open_up(source, name)
        old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
        new = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while chunk := os.read(old, _CHUNK):
                self.left -= len(chunk)
                if self.left < 0:
                    raise _TooLargeError
                os.write(new, chunk)
            os.fchmod(new, stat.S_IMODE(found.st_mode) | 0o600)
        finally:
            os.close(old)
            os.close(new)


def main() -> int:
    """Copy each held volume to its target."""
    budget, *targets = sys.argv[1:]
    try:
        for place, target in enumerate(targets):
            copy_tree(_FIRST + place, Path(target), int(budget))
    except (_TooLargeError, OSError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
