"""Deleting and digesting folders whose depth and names strangers chose."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20


def delete_tree(folder: Path) -> None:
    """Delete a folder and everything in it, if it exists. Never follows a link, never leaves the file system.

    Iterative, because a tree of 3000 levels is too deep for ``shutil.rmtree``. Deep folders are moved up before they
    are deleted, so only one level is open at a time. Raises ``OSError`` if something is mounted below.
    """
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink(missing_ok=True)
        return
    root = os.open(folder, _FOLDER)
    try:
        serial = 0
        while True:
            deeper = _empty_once(root, serial)
            if deeper == serial:
                break
            serial = deeper
    finally:
        os.close(root)
    folder.rmdir()


def _empty_once(root: int, serial: int) -> int:
    """Delete the files of each folder in ``root`` and move its folders up; return the next serial number."""
    for name in _names(root):
        if _unlink(name, root):
            continue
        inner = _open_folder(name, root)
        try:
            for child in _names(inner):
                if not _unlink(child, inner):
                    serial += 1
                    os.rename(child, f".deleting-{serial}-{os.getpid()}", src_dir_fd=inner, dst_dir_fd=root)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=root)
    return serial


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _unlink(name: str, parent: int) -> bool:
    """Delete anything but a folder; return whether it was deleted."""
    try:
        os.unlink(name, dir_fd=parent)
    except (IsADirectoryError, PermissionError):
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            return False
        raise
    return True


def _open_folder(name: str, parent: int) -> int:
    with suppress(PermissionError):
        return os.open(name, _FOLDER, dir_fd=parent)
    open_up(parent, name)  # this matters only then, because root can enter any folder
    return os.open(name, _FOLDER, dir_fd=parent)


def open_up(parent: int, name: str) -> None:
    """Let this user, who owns a file or folder and may have closed it to itself, into it again."""
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
    finally:
        os.close(handle)


def tree_digest(folder: Path) -> str:
    """Return the SHA-256 over every path, kind, permission, link target and content below ``folder``, by path."""
    digest = hashlib.sha256()
    waiting = [b"."]
    root = os.open(folder, _FOLDER)
    try:
        while waiting:
            place = waiting.pop()
            waiting.extend(_digest_folder(root, place, digest))
    finally:
        os.close(root)
    return digest.hexdigest()


def _digest_folder(root: int, place: bytes, digest: "hashlib._Hash") -> list[bytes]:
    folder = os.open(place, _FOLDER, dir_fd=root)
    below = []
    try:
        for name in sorted(os.fsencode(text) for text in _names(folder)):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            kind = stat.S_IFMT(found.st_mode)
            content = b""
            if kind == stat.S_IFDIR:
                below.append(place + b"/" + name)
            elif kind == stat.S_IFLNK:
                content = os.readlink(name, dir_fd=folder)
            elif kind == stat.S_IFREG:
                content = _digest_file(folder, name)
            mode = 0o777 if kind == stat.S_IFLNK else stat.S_IMODE(found.st_mode)
            path = place + b"/" + name
            digest.update(b"%d %d %o %d " % (len(path), kind, mode, len(content)) + path + content)
    finally:
        os.close(folder)
    return below[::-1]


def _digest_file(folder: int, name: bytes) -> bytes:
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    digest = hashlib.sha256()
    try:
        while chunk := os.read(opened, _CHUNK):
            digest.update(chunk)
    finally:
        os.close(opened)
    return digest.digest()
