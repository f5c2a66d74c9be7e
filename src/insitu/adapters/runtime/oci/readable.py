"""Proof that the sandbox's user can open every input, before a stranger's algorithm finds out."""

import ctypes
import errno
import os
import platform
import stat
import threading
from collections.abc import Callable

from insitu.adapters.runtime.oci.volumes import check_input
from insitu.domain.errors import InsituError

_SETGROUPS = {"x86_64": 116, "aarch64": 159}
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def check_readable(root: str, path: str, identity: tuple[int, int] | None) -> None:
    """Open every file of an input as ``identity``, a user and a group (None: as the caller).

    Raises ``InputUnreadable``.

    Blocking. It runs in a thread of its own, which takes on the user's identity for files (setfsuid works per thread)
    and then ends, so no other thread ever loses or gains a right.
    """
    found, is_folder = check_input(root, path)
    problem: list[str] = []

    def look() -> None:
        if identity is not None:
            _take_identity(*identity)
        refused = _find_refused(found, is_folder)
        if refused is not None:
            problem.append(refused)

    try:
        _in_thread(look)
    finally:
        os.close(found)
    if problem:
        name = os.path.basename(path.rstrip("/"))  # noqa: PTH119 (a name, not a path that is used)
        place = f"{name}/{problem[0]}" if problem[0] else name
        raise InsituError(
            "InputUnreadable",
            f"the sandbox cannot open {place}; at the provider, this helps: chmod -R o+rX {name}",
        )


def _in_thread(work: Callable[[], None]) -> None:
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="check-readable")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def _take_identity(uid: int, gid: int) -> None:
    """Let this thread open files as a user, in one group, without the capabilities of root."""
    libc = ctypes.CDLL(None, use_errno=True)
    # glibc's setgroups would change every thread; the system call changes this one.
    number = _SETGROUPS.get(platform.machine())
    if number is None or libc.syscall(ctypes.c_long(number), ctypes.c_size_t(0), None) != 0:
        raise OSError(ctypes.get_errno(), "the groups of a thread could not be dropped")
    libc.setfsgid(gid)
    libc.setfsuid(uid)
    if libc.setfsuid(-1) != uid or libc.setfsgid(-1) != gid:
        raise OSError(errno.EPERM, "the identity of a thread could not be changed")


def _find_refused(found: int, is_folder: bool) -> str | None:
    """Return the name of the first entry that does not open: "" for the input itself, None if all open."""
    try:
        opened = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return ""
    try:
        return _find_refused_below(opened, "") if is_folder else None
    finally:
        os.close(opened)


def _find_refused_below(folder: int, above: str) -> str | None:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except PermissionError:
        return above.rstrip("/")
    for name in names:
        try:
            kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
                continue
            opened = os.open(name, _LOOK, dir_fd=folder)
        except PermissionError:
            return above + name
        try:
            refused = _find_refused_below(opened, f"{above}{name}/") if stat.S_ISDIR(kind) else None
        finally:
            os.close(opened)
        if refused is not None:
            return refused
    return None
