"""Volumes of a run: size-capped ones for output and logs, and inputs staged in place without copying a byte.

This is root mode. A written volume is a sparse ext4 image on a loop device, so that its size and its number of files
are limited to what was sold. An input is opened beneath its data root without following a link, and that very
descriptor is bound to a neutral name: what was checked is what is mounted.
"""

import os
import stat
import subprocess
import uuid
from pathlib import Path

from insitu.adapters.runtime.oci import linux
from insitu.domain.errors import InsituError
from insitu.guarded_files import open_beneath

DATA = "data"
"""The folder of a volume that the sandbox sees; it does not see the file system's lost+found beside it."""

_INODE_BYTES = 256
_BYTES_PER_FILE = 16 * 1024
_FEW_FILES, _MANY_FILES = 1024, 65536
_OVERHEAD_BYTES = 2 << 20


def create_volume(templates: Path, folder: Path, name: str, size_bytes: int, uid: int, gid: int) -> Path:
    """Make and mount the volume ``name`` of a run; return the folder in it that belongs to ``uid`` and ``gid``.

    The file system is copied from a template of the same size (only its few used blocks), because mke2fs would be
    the slowest part of a start. A volume that is mounted already stays as it is. Raises ``StorageFailed``.
    """
    point = folder / name
    data = point / DATA
    if os.path.ismount(point):
        return data
    try:
        point.mkdir(parents=True, exist_ok=True)
        image = folder / f"{name}.img"
        _copy_sparse(_template(templates, size_bytes), image)
        loop, device = linux.attach_loop(image)
        try:
            flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
            linux.mount(device, point, "ext4", flags, "nodiscard,noinit_itable")
        finally:
            os.close(loop)
        data.mkdir(mode=0o700)
        os.chown(data, uid, gid)
    except OSError as error:
        raise InsituError("StorageFailed", f"the volume {name} could not be made: {error}") from error
    return data


def volume_bytes(size_bytes: int) -> int:
    """Return the size of the whole file system of a volume: no file in it can be as large.

    What the file system needs for itself comes on top of what was sold, so that a consumer can use all of that.
    """
    overhead = _volume_files(size_bytes) * _INODE_BYTES + min(size_bytes // 60, 256 << 20) + _OVERHEAD_BYTES
    return -(-(size_bytes + overhead) // 4096) * 4096


def used_bytes(folder: Path) -> int:
    """Return the bytes in use on the file system of ``folder``; for a new one they are the baseline."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bavail) * found.f_frsize


def check_input(root: str, path: str) -> tuple[int, bool]:
    """Open an input beneath its data root; return a descriptor (O_PATH) and whether it is a folder.

    Raises ``InputUnreadable``: see :func:`insitu.guarded_files.open_beneath`.
    """
    found = open_beneath(root, path, "an input", os.O_PATH)
    return found, stat.S_ISDIR(os.fstat(found).st_mode)


def stage_input(root: str, path: str, stage: Path) -> None:
    """Bind an input to the neutral name ``stage``. Nothing is copied, and nested mounts are left behind.

    Raises ``InputUnreadable``.
    """
    found, is_folder = check_input(root, path)
    try:
        if os.path.ismount(stage):
            linux.unmount(stage)
        if is_folder:
            stage.mkdir(parents=True, exist_ok=True)
        else:
            stage.parent.mkdir(parents=True, exist_ok=True)
            stage.touch()
        linux.mount(f"/proc/self/fd/{found}", stage, None, linux.MS_BIND)
        wanted, staged = os.fstat(found), stage.stat()
        if (wanted.st_dev, wanted.st_ino) != (staged.st_dev, staged.st_ino):
            linux.unmount(stage)
            raise InsituError("InputUnreadable", "an input changed while it was being mounted")
    except OSError as error:
        raise InsituError("InputUnreadable", f"an input cannot be mounted: {error.strerror}") from error
    finally:
        os.close(found)


def _volume_files(size_bytes: int) -> int:
    return min(max(size_bytes // _BYTES_PER_FILE, _FEW_FILES), _MANY_FILES)


def _template(templates: Path, size_bytes: int) -> Path:
    files = _volume_files(size_bytes)
    template = templates / f"{size_bytes}-{files}.ext4"
    if template.exists():
        return template
    templates.mkdir(parents=True, exist_ok=True)
    draft = templates / f"{template.name}.{uuid.uuid4().hex}.draft"  # executions start at the same time
    with draft.open("wb") as file:
        file.truncate(volume_bytes(size_bytes))
    features = "^has_journal,^resize_inode,^metadata_csum,uninit_bg"
    command = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-O", features, "-N", str(files)]
    environment = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    made = subprocess.run(
        [*command, "-E", "lazy_itable_init=1,nodiscard", str(draft)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        draft.unlink()
        raise InsituError("StorageFailed", f"mke2fs failed: {made.stderr.strip()[:300]}")
    draft.rename(template)
    return template


def _copy_sparse(source: Path, target: Path) -> None:
    """Copy a file, keeping its holes."""
    with source.open("rb") as old, target.open("wb") as new:
        size = os.fstat(old.fileno()).st_size
        new.truncate(size)
        position = 0
        while position < size:
            try:
                start = os.lseek(old.fileno(), position, os.SEEK_DATA)
            except OSError:  # ENXIO: only a hole is left
                return
            position = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            offset = start
            while offset < position:
                offset += os.copy_file_range(old.fileno(), new.fileno(), position - offset, offset, offset)
