"""Linux calls that the standard library lacks: mounts, openat2, loop devices, another user's view of files.

Calls go to the C library directly, because a process per mount would cost more than the mount.
"""

import ctypes
import errno
import fcntl
import os
import struct
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1, 2, 4, 8, 4096

_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_OPENAT2 = 437
_RESOLVE_NO_MAGICLINKS, _RESOLVE_IN_ROOT = 0x02, 0x10
_LOOP_CTL_GET_FREE, _LOOP_CONFIGURE = 0x4C82, 0x4C0A
_LO_FLAGS_AUTOCLEAR = 4
_IN_MODIFY, _IN_MOVED_TO = 0x02, 0x80
_LOOP_CONFIG_SIZE, _LOOP_FLAGS_OFFSET = 304, 60
"""``struct loop_config``: u32 fd, u32 block size, ``loop_info64`` (232 bytes; its flags at 52), u64[8] reserved."""

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, subject: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject)
    return result


def mount(source: str, target: Path, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system or bind a folder. Raises ``OSError`` that names the target."""
    fs_type = kind.encode() if kind else None
    _check(_libc.mount(source.encode(), bytes(target), fs_type, ctypes.c_ulong(flags), data.encode()), str(target))


def unmount(target: Path) -> None:
    """Call umount2(2) without following symbolic links; do nothing if the target is not a mount or does not exist.

    A busy mount is detached: it goes away with its last user, and no new path leads to it.
    """
    result = _libc.umount2(bytes(target), _UMOUNT_NOFOLLOW)
    if result < 0 and ctypes.get_errno() == errno.EBUSY:
        result = _libc.umount2(bytes(target), _UMOUNT_NOFOLLOW | _MNT_DETACH)
    if result < 0 and ctypes.get_errno() in (errno.EINVAL, errno.ENOENT):
        return
    _check(result, str(target))


def open_in_root(root: int, path: str, flags: int) -> int:
    """Call openat2(2) of ``path`` as if the folder descriptor ``root`` were ``/``: links cannot lead out of it.

    This is for paths in an image, whose links have a meaning. Files of the provider open with
    :func:`insitu.guarded_files.open_beneath`.
    """
    resolve = _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, resolve)
    number = ctypes.c_long(_OPENAT2)
    return _check(_libc.syscall(number, root, os.fsencode(path), how, ctypes.c_size_t(len(how))), path)


def mode_in_root(root: Path, path: str) -> int:
    """Return type and permissions of a file as :func:`open_in_root` finds it; 0 if there is none."""
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = open_in_root(folder, path, os.O_PATH)
    except (OSError, UnicodeEncodeError):
        return 0
    finally:
        os.close(folder)
    try:
        return os.fstat(found).st_mode
    finally:
        os.close(found)


def attach_loop(image: Path) -> tuple[int, str]:
    """Attach a file to a free loop device; return the device's descriptor and path.

    The device frees itself when its last user is gone (autoclear), so a killed process leaves none behind. Close the
    descriptor after mounting.
    """
    backing = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            device = f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
            loop = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            config = bytearray(_LOOP_CONFIG_SIZE)
            struct.pack_into("I", config, 0, backing)
            struct.pack_into("I", config, _LOOP_FLAGS_OFFSET, _LO_FLAGS_AUTOCLEAR)
            try:
                fcntl.ioctl(loop, _LOOP_CONFIGURE, bytes(config))
            except OSError as error:
                os.close(loop)
                if error.errno != errno.EBUSY:
                    raise
                continue  # another process took this device in between
            return loop, device
    finally:
        os.close(control)
        os.close(backing)


def watch(folder: Path) -> int:
    """Open an inotify descriptor that becomes readable when a file in the folder is written or appears."""
    watcher = _check(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")
    try:
        _check(_libc.inotify_add_watch(watcher, bytes(folder), _IN_MODIFY | _IN_MOVED_TO), str(folder))
    except OSError:
        os.close(watcher)
        raise
    return watcher


def mounts_below(folder: Path) -> list[Path]:
    """Return the mount points in or at ``folder``, the newest first: the order in which to unmount them."""
    prefix = str(folder)
    found = []
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        point = _unescape(line.split(" ")[4])
        if point == prefix or point.startswith(prefix.rstrip("/") + "/"):
            found.append(Path(point))
    return found[::-1]


def _unescape(text: str) -> str:
    """Undo the octal numbers that the kernel writes in mountinfo for space, tab, newline and backslash."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, character)
    return text
