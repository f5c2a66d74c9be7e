"""The one way to open a file that somebody else placed: beneath a root, and never through a link out of it."""

import errno
import os
import stat

from insitu.domain.errors import InsituError

_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_LAST = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_beneath(root: str, path: str, name: str, flags: int = os.O_RDONLY) -> int:
    """Open a regular file or a folder beneath ``root`` and return its descriptor. Blocking.

    The root may be a symbolic link, because the provider chose it; below it no part of the path may be one. The path is
    walked one part at a time, from descriptor to descriptor, so nothing that changes meanwhile leads elsewhere. The
    walk needs no permission to read the folders on the way.

    Raises ``InputUnreadable``.

    Parameters
    ----------
    root, path
        Absolute; the path is the root or is beneath it.
    name
        What messages call the file: nobody else needs to know a path of the provider.
    flags
        How the file itself is opened: ``O_RDONLY``, or ``O_PATH`` to mount it.
    """
    try:
        relative = os.path.relpath(path, root)
        parts = [] if relative == "." else relative.split("/")
        if ".." in parts:
            raise InsituError("InputUnreadable", f"{name} is not beneath its data root")
        opened = _walk(root, parts, flags)
    except OSError as error:
        raise InsituError("InputUnreadable", f"{name} cannot be opened: {_cause(error)}") from error
    except ValueError as error:
        raise InsituError("InputUnreadable", f"{name} cannot be opened: its path is not a path") from error
    kind = os.fstat(opened).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        os.close(opened)
        raise InsituError("InputUnreadable", f"{name} is neither a file nor a folder")
    return opened


def _walk(root: str, parts: list[str], flags: int) -> int:
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            above, folder = folder, _open(part, _STEP, folder)
            os.close(above)
        return _open(parts[-1] if parts else ".", flags | _LAST, folder)
    finally:
        os.close(folder)


def _open(part: str, flags: int, folder: int) -> int:
    opened = os.open(part, flags, dir_fd=folder)
    # With O_PATH the link itself is opened instead of refused.
    if stat.S_ISLNK(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return opened


def _cause(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a part of its path is a symbolic link"
    if error.errno == errno.EACCES:
        return "permission denied; at the provider, this helps: chmod -R o+rX on the file and its folders"
    return os.strerror(error.errno or errno.EIO)
