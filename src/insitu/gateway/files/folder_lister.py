"""``GET files``: what is in the folders of this provider, for those who may publish it from there (ADR 0160)."""

import heapq
import os
import stat
from dataclasses import dataclass, field
from urllib.parse import quote

from insitu.api.folders_v1 import Folder, Kind, ListedFile
from insitu.domain.file_names import is_left_out, path_problem
from insitu.gateway.files.source_opener import SourceOpener
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.guarded_files import open_beneath
from insitu.sdk.long_work import LongWork

_FOLDER = os.O_RDONLY | os.O_DIRECTORY


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLister:
    """Lists one folder below the data roots at a time."""

    ports: GatewayPorts
    source_opener: SourceOpener
    _work: LongWork = field(init=False, default_factory=LongWork)

    async def list(self, caller: Caller, path: str | None, after: str, limit: int) -> Folder:
        """Return a page of what is in a folder, sorted by name; without a path, the data roots.

        Whoever may not name ``file:`` urls here learns nothing, not even whether a folder exists.

        Raises ``CreatorNotAllowed``; ``InvalidRequest`` for a path that is none; ``InputUnreadable``.
        """
        self.source_opener.require_trusted("file", caller.address)
        if path is None:
            return Folder(path=None, files=tuple(_root(root) for root in self.ports.configuration.data_roots))
        root = self.source_opener.root_of(path)
        return await self._work.run(_list, root, path.rstrip("/"), after, limit)


def _root(root: str) -> ListedFile:
    plain = root.rstrip("/")
    return ListedFile(name=plain, path=plain, kind="folder", url=_url(plain, "folder"))


def _list(root: str, path: str, after: str, limit: int) -> Folder:
    """Read a folder. Its entries are stated without following links, so nothing leads out of the root."""
    folder = open_beneath(root, path, "the folder", _FOLDER)
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries if not is_left_out(entry.name))
            behind = ((_shown(name), name) for name in names)
            page = heapq.nsmallest(limit + 1, (pair for pair in behind if pair[0] > after))
        found = [_entry(folder, path, shown, name) for shown, name in page[:limit]]
    finally:
        os.close(folder)
    more = page[limit - 1][0] if len(page) > limit else None
    above = path.rpartition("/")[0] if path != root else None
    return Folder(path=path, above=above, files=tuple(file for file in found if file is not None), next=more)


def _entry(folder: int, path: str, shown: str, name: str) -> ListedFile | None:
    """Return what is said about an entry; None if it is gone meanwhile."""
    try:
        known = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    kind: Kind = "file" if stat.S_ISREG(known.st_mode) else "folder" if stat.S_ISDIR(known.st_mode) else "other"
    size = known.st_size if kind == "file" else None
    problem = path_problem(name) if name == shown else "is not text in UTF-8"
    if kind == "other":
        problem = "is a symbolic link, which is not followed" if stat.S_ISLNK(known.st_mode) else "is no file"
    if problem is not None:
        return ListedFile(name=shown, kind=kind, size=size, problem=problem)
    place = f"{path}/{name}"
    return ListedFile(name=name, path=place, kind=kind, size=size, url=_url(place, kind))


def _url(path: str, kind: Kind) -> str:
    return "file://" + quote(path) + ("/" if kind == "folder" else "")


def _shown(name: str) -> str:
    """Return a name that JSON can carry: bytes that are not UTF-8 are written by number."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
