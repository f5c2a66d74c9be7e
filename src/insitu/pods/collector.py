"""The collector: reads what an untrusted algorithm left behind, and takes only plain files.

It runs only after the last process of the container is gone. Every folder and file is reached by descriptors, opened
without following links and without blocking, and judged by what was opened, not by what had that name a moment before.
The digest is computed, and the bytes are compared with what the suffix says, from the same descriptor. Archives are
never unpacked. Names that begin with a dot are left out, unopened, and counted.
"""

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from insitu.domain.file_names import delivered_bytes, delivery_problem, is_left_out
from insitu.domain.file_types import AllowedTypes

CHUNK_BYTES = 1 << 20
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID
_MAX_REJECTIONS = 100
"""The report of a hostile folder ends here; one rejection is enough to refuse an output."""


@dataclass(frozen=True, slots=True)
class CollectionLimits:
    """What may be collected: total bytes, paths included; number of files; levels of folders (1 at the top).

    ``prefix`` will precede each path, and counts with it. ``leave_out``: a file that does not fit is left out;
    otherwise it ends the walk.
    """

    max_bytes: int
    max_files: int
    max_depth: int = 32
    prefix: str = ""
    leave_out: bool = False

    @property
    def max_entries(self) -> int:
        """Files and folders that are examined before the walk gives up: folders cost time but no bytes."""
        return 4 * self.max_files + 1024


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """A plain file: its path below the folder (with ``/``), its bytes, their SHA-256 in hexadecimal digits."""

    path: str
    size: int
    sha256: str
    identity: tuple[int, int, int] = field(compare=False)
    """Device, inode and modification time, so that reading again is reading the same file."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that is not taken: its path as the algorithm wrote it, a rule (a stable name), what is wrong."""

    path: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a folder holds, sorted by path. A collection with rejections is not published."""

    files: tuple[CollectedFile, ...]
    rejections: tuple[Rejection, ...]
    left_out: int = 0
    """How many files and folders are not taken: their names begin with a dot, or they do not fit. No name is told."""


def collect(folder: Path, limits: CollectionLimits, types: AllowedTypes | None = None) -> Collection:
    """Walk the folder, judge every entry, hash every plain file. Blocking: call it in a thread.

    ``types``: what the files may be; None for anything. A missing folder counts as empty. The walk ends early once a
    limit on bytes, files or entries is exceeded.
    """
    try:
        root = os.open(folder, _LOOK | os.O_DIRECTORY)
    except FileNotFoundError:
        return Collection((), ())
    walk = _Walk(limits, types)
    try:
        with suppress(_EnoughSeenError):
            walk.folder(root, ())
    finally:
        os.close(root)
    files = tuple(sorted(walk.files, key=lambda file: file.path))
    return Collection(files, tuple(walk.rejections), walk.left_out)


def read_collected(folder: Path, file: CollectedFile, *, cut: bool = False) -> Iterator[bytes]:
    """Read a collected file again, in chunks. Raises ``OSError`` (ESTALE) if it is not the file that was judged.

    ``cut``: the file was taken up to ``size`` only.
    """
    parent = os.open(folder, _LOOK | os.O_DIRECTORY)
    try:
        *above, name = file.path.split("/")
        for part in above:
            following = os.open(part, _LOOK | os.O_DIRECTORY, dir_fd=parent)
            os.close(parent)
            parent = following
        opened = os.open(name, _LOOK, dir_fd=parent)
    finally:
        os.close(parent)
    try:
        found = os.fstat(opened)
        if (found.st_dev, found.st_ino, found.st_mtime_ns) != file.identity or not (
            found.st_size == file.size or (cut and found.st_size > file.size)
        ):
            raise OSError(errno.ESTALE, "the file changed after it was collected", file.path)
        left = file.size
        while left > 0 and (chunk := os.read(opened, min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
    finally:
        os.close(opened)


class _EnoughSeenError(Exception):
    """A limit is exceeded, so the answer is known."""


class _Walk:
    """One walk. Recursion ends at the depth limit, long before Python's own."""

    def __init__(self, limits: CollectionLimits, types: AllowedTypes | None) -> None:
        self.limits = limits
        self.types = types
        self.left_out = 0
        self.files: list[CollectedFile] = []
        self.rejections: list[Rejection] = []
        self.bytes = 0
        self.entries = 0

    def folder(self, descriptor: int, above: tuple[str, ...]) -> None:
        seen: set[str] = set()
        with os.scandir(descriptor) as entries:
            raw_names = []
            for entry in entries:
                self._count_entry(above)
                raw_names.append(os.fsencode(entry.name))
        for raw in sorted(raw_names):
            name = self._readable_name(raw, above)
            if name is None:
                continue
            key = unicodedata.normalize("NFC", name).casefold()
            if key in seen:
                self._reject((*above, name), "NameCollision", "differs from another name only by case or form")
                continue
            seen.add(key)
            self._entry(descriptor, name, (*above, name))

    def _entry(self, parent: int, name: str, path: tuple[str, ...]) -> None:
        opened = self._open(parent, name, path)
        if opened is None:
            return
        try:
            found = os.fstat(opened)
            if stat.S_ISDIR(found.st_mode):
                if len(path) >= self.limits.max_depth:
                    self._reject(path, "TooDeep", f"is deeper than {self.limits.max_depth} levels")
                else:
                    self.folder(opened, path)
            elif self._is_plain(found, path):
                self._take(opened, found, path)
        finally:
            os.close(opened)

    def _open(self, parent: int, name: str, path: tuple[str, ...]) -> int | None:
        try:
            return os.open(name, _LOOK, dir_fd=parent)
        except OSError as error:
            if error.errno == errno.EACCES:
                return self._open_closed(parent, name, path)
            if error.errno in (errno.ELOOP, errno.EMLINK):
                self._reject(path, "SymbolicLink", "is a symbolic link")
            else:  # a socket or a device: ENXIO
                self._reject(path, "NotAFile", "is neither a file nor a folder")
            return None

    def _open_closed(self, parent: int, name: str, path: tuple[str, ...]) -> int | None:
        """Open what its owner, who is not root, has closed to itself: the mode is set on the inode itself."""
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            if not (stat.S_ISDIR(os.fstat(handle).st_mode) or stat.S_ISREG(os.fstat(handle).st_mode)):
                self._reject(path, "NotAFile", "is neither a file nor a folder")
                return None
            Path(f"/proc/self/fd/{handle}").chmod(0o700)
            return os.open(f"/proc/self/fd/{handle}", _LOOK & ~os.O_NOFOLLOW)
        except PermissionError:
            self._reject(path, "Unreadable", "cannot be opened")
            return None
        finally:
            os.close(handle)

    def _is_plain(self, found: os.stat_result, path: tuple[str, ...]) -> bool:
        if not stat.S_ISREG(found.st_mode):
            self._reject(path, "NotAFile", "is neither a file nor a folder")
        elif found.st_nlink != 1:
            self._reject(path, "HardLink", "has a second name (hard link)")
        elif found.st_mode & _SPECIAL_BITS:
            self._reject(path, "SetUserId", "has a set-user-id or set-group-id bit")
        else:
            return True
        return False

    def _take(self, opened: int, found: os.stat_result, path: tuple[str, ...]) -> None:
        # st_size counts, not the blocks: a sparse file leaves this machine with all its zeros.
        delivered = delivered_bytes(self.limits.prefix + "/".join(path), found.st_size)
        if self.limits.leave_out and self.bytes + delivered > self.limits.max_bytes:
            self.left_out += 1
            return
        self.bytes += delivered
        if self.bytes > self.limits.max_bytes:
            self._reject(path, "TooManyBytes", f"takes it past {self.limits.max_bytes} bytes with paths", enough=True)
        if len(self.files) >= self.limits.max_files:
            self._reject(path, "TooManyFiles", f"takes it past {self.limits.max_files} files", enough=True)
        content = self.types.content(path[-1], found.st_size) if self.types is not None else None
        if content is None and self.types is not None:
            self._reject(path, "WrongType", f"is not of {self.types}")
            return
        digest = hashlib.sha256()
        size = 0
        while chunk := os.read(opened, CHUNK_BYTES):
            size += len(chunk)
            if size > found.st_size:
                break
            digest.update(chunk)
            if content is not None:
                content.feed(chunk)
        if size != found.st_size:
            self._reject(path, "Changed", "changed while it was read")
            return
        if content is not None and (problem := content.problem()) is not None:
            self._reject(path, "WrongType", problem)
            return
        identity = (found.st_dev, found.st_ino, found.st_mtime_ns)
        self.files.append(CollectedFile("/".join(path), size, digest.hexdigest(), identity))

    def _readable_name(self, raw: bytes, above: tuple[str, ...]) -> str | None:
        name = raw.decode("utf-8", "backslashreplace")
        if is_left_out(name):
            self.left_out += 1
            return None
        problem = delivery_problem(name) if name.encode() == raw else "is not UTF-8"
        if problem is not None:
            self._reject((*above, name), "BadName", f"has a name that {problem}")
            return None
        return name

    def _count_entry(self, above: tuple[str, ...]) -> None:
        self.entries += 1
        if self.entries > self.limits.max_entries:
            self._reject(above or (".",), "TooManyFiles", "holds too many files and folders", enough=True)

    def _reject(self, path: tuple[str, ...], rule: str, message: str, *, enough: bool = False) -> None:
        self.rejections.append(Rejection("/".join(path), rule, message))
        if enough or len(self.rejections) >= _MAX_REJECTIONS:
            raise _EnoughSeenError
