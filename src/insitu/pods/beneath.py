"""Opening the provider's files beneath a data root, without following links out of it."""

import errno
import os
import stat

from insitu.domain.errors import InsituError

__all__ = ["open_beneath"]

_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def open_beneath(root: str, path: str, name: str) -> int:
    """Open a file or folder that a plan names, and return its descriptor. Blocking.

    The root may be a link, for the operator wrote it in the settings; below it nothing may be one.

    Parameters
    ----------
    root, path
        Absolute; the path is the root or lies beneath it.
    name
        What messages call the input: a path of the provider is nobody else's business.

    Raises
    ------
    InsituError
        ``InputUnreadable``.
    """
    relative = os.path.relpath(path, root)
    parts = [] if relative == "." else relative.split("/")
    if ".." in parts:
        raise InsituError("InputUnreadable", f"{name} does not lie beneath its data root")
    try:
        opened = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts:
            above = opened
            try:
                opened = os.open(part, _LOOK, dir_fd=above)
            finally:
                os.close(above)
    except OSError as error:
        raise InsituError("InputUnreadable", f"{name} cannot be opened: {_cause(error)}") from error
    kind = os.fstat(opened).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        os.close(opened)
        raise InsituError("InputUnreadable", f"{name} is neither a file nor a folder")
    return opened


def _cause(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a part of its path is a symbolic link"
    if error.errno == errno.EACCES:
        return "permission denied; at the provider, this helps: chmod -R o+rX on the file and its folders"
    return os.strerror(error.errno or errno.EIO)
