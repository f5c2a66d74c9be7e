"""Copies rootless volumes to the disk: ``python -m insitu.adapters.runtime.oci.salvage BYTES OUTPUT LOGS``.

They live in memory, in a mount namespace that ends with the container; the monitor holds them as descriptors 10 and
11. Links and pipes are made again as they are, so that the collector sees and rejects them. Exit status 1: more bytes
than the volume may have (sparse files).
"""

import os
import stat
import sys
from pathlib import Path

__all__ = ["copy_tree"]

_FIRST = 10
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 64


class _TooLargeError(Exception):
    """The files are larger than their volume."""


def copy_tree(source: int, target: Path, budget: int) -> None:
    """Copy what the folder descriptor ``source`` holds into ``target``. Raises an error beyond ``budget`` bytes."""
    target.mkdir(parents=True, exist_ok=True)
    opened = os.open(target, _FOLDER)
    try:
        _copy_folder(source, opened, [budget], 0)
    finally:
        os.close(opened)


def _copy_folder(source: int, target: int, left: list[int], depth: int) -> None:
    with os.scandir(source) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            if depth < _MAX_DEPTH:
                _enter(source, target, name, left, depth)
        elif stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif stat.S_ISREG(found.st_mode):
            _copy_file(source, target, name, left)
        else:
            os.mkfifo(name, 0o600, dir_fd=target)


def _enter(source: int, target: int, name: str, left: list[int], depth: int) -> None:
    _open_up(source, name)
    inner, copy = os.open(name, _FOLDER, dir_fd=source), os.open(name, _FOLDER, dir_fd=target)
    try:
        _copy_folder(inner, copy, left, depth + 1)
    finally:
        os.close(inner)
        os.close(copy)


def _copy_file(source: int, target: int, name: str, left: list[int]) -> None:
    _open_up(source, name)
    old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    new = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target)
    try:
        while chunk := os.read(old, _CHUNK):
            left[0] -= len(chunk)
            if left[0] < 0:
                raise _TooLargeError
            os.write(new, chunk)
    finally:
        os.close(old)
        os.close(new)


def _open_up(folder: int, name: str) -> None:
    """Its owner is this user, who may have closed it to himself."""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
    finally:
        os.close(handle)


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
