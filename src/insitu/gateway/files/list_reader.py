"""The files of an asset with the urls that the gateway opens: from its sealed list, or from its public one."""

from collections import OrderedDict
from dataclasses import dataclass, field

import anyio

from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.sealed_list import sealed_text
from insitu.domain.service import File
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.lineage_checker import LineageChecker
from insitu.sdk.long_work import LongWork
from insitu.sdk.resolving import ResolvedAsset

KEPT = 4
"""Opened lists that are kept, for clients that fetch one file after another. 10,000 files take about 20 MB."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The files of an asset, in ascending order of their indexes.

    Attributes
    ----------
    sealer
        The account with whose rights the urls are opened. None for a public list, which may only name the web.
    """

    sealer: Address | None
    files: tuple[File, ...]

    def file(self, index: int, did: str) -> File:
        """Return one file. Raises ``NotFound``."""
        for file in self.files:
            if (file.index or 0) == index:
                return file
        raise InsituError("NotFound", f"{did} has no file {index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReader:
    """Opens the lists of assets. A long list is opened in a thread, and only once for simultaneous requests."""

    encrypter: Encrypter
    lineage_checker: LineageChecker
    _work: LongWork = field(init=False, default_factory=LongWork)
    _opened: OrderedDict[tuple[str, str], Listed] = field(init=False, default_factory=OrderedDict)
    _locks: dict[tuple[str, str], anyio.Lock] = field(init=False, default_factory=dict)

    async def open(self, asset: ResolvedAsset, *, proved: Address | None = None) -> Listed:
        """Return the files of an asset, completed with what its public list says.

        ``proved`` is a sealer for whom this version was proved when the plan was written; the chain is not asked again.

        Raises ``InputElsewhere`` when the list was not sealed here for this DID; ``InvalidDocument``; what
        :meth:`LineageChecker.require` raises.
        """
        listed = await self._read(asset)
        if listed.sealer is not None and listed.sealer != proved:
            await self.lineage_checker.require(asset, listed.sealer)
        return listed

    async def _read(self, asset: ResolvedAsset) -> Listed:
        key = (asset.did, asset.checksum)
        async with self._locks.setdefault(key, anyio.Lock()):
            try:
                if key not in self._opened:
                    self._opened[key] = await self._work.run(self._open, asset)
            finally:
                self._locks.pop(key, None)
            listed = self._opened[key]
            self._opened.move_to_end(key)
            if len(self._opened) > KEPT:
                self._opened.popitem(last=False)
            return listed

    def _open(self, asset: ResolvedAsset) -> Listed:
        text = sealed_text(asset.ddo)
        public = {file.index or 0: file for file in _public(asset.ddo)}
        if text is None:
            return Listed(None, tuple(file for _, file in sorted(public.items())))
        sealer, files = self.encrypter.open(text, asset.did, asset.creator)
        return Listed(sealer, tuple(_complete(file, public.get(file.index or 0)) for file in files))


def _public(ddo: Ddo) -> tuple[File, ...]:
    files = ddo.main.get("files")
    if not isinstance(files, list):
        return ()
    return tuple(File.read(file, f"/service/main/files/{position}") for position, file in enumerate(files))


def _complete(sealed: File, public: File | None) -> File:
    """Name and url come from the sealed list; what the DID commits to (checksum, length) from the public document."""
    if public is None:
        return sealed
    public_members = {name: value for name, value in public.to_json().items() if name not in ("name", "url")}
    return File.read({"name": public.name, **sealed.to_json(), **public_members})
