"""Downloads for the owners of assets, and input files for the pods of executions (E5, E9)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from insitu.api.archive import END, archive_header, archive_padding
from insitu.domain.errors import InsituError
from insitu.domain.file_names import path_problem
from insitu.domain.ids import Address
from insitu.domain.service import File
from insitu.gateway.files.list_reader import Listed, ListReader
from insitu.gateway.files.source_opener import SourceOpener, is_own
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.ports.agreement_records import SourceReference, StoredExecution


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file to send: its path within the asset, its type, its size if that is known, and its content."""

    name: str
    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileServer:
    """Sends files of assets to their owners and to pods."""

    ports: GatewayPorts
    list_reader: ListReader
    source_opener: SourceOpener

    async def download(self, caller: Caller, did: str, index: int) -> ServedFile:
        """Open a file of an asset for its on-chain owner, and for nobody else.

        Raises ``InvalidDid``, ``AssetNotFound``, ``DownloadNotAllowed``, ``NotFound``, ``FileNotDownloadable``,
        ``ResultExpired``.
        """
        listed = await self._list_for_owner(caller, did)
        file = listed.file(index, did)
        try:
            chunks = await begun(await self.source_opener.open(file, listed.sealer))
        except InsituError as error:
            if error.code == "NotFound" and (file.url or "").startswith("blob:"):
                raise InsituError("ResultExpired", "the files of this result are no longer kept") from None
            raise
        content_type = file.content_type or "application/octet-stream"
        # A document may state any length for a url elsewhere; it says nothing about what the url returns.
        size = file.size if is_own(file) else None
        return ServedFile(file.name or f"file-{index}", content_type, size, chunks)

    async def archive(self, caller: Caller, did: str, first: int) -> AsyncIterator[bytes]:
        """Open the files of an asset that are stored here, from index ``first`` on, as one archive for its owner.

        Raises what :meth:`download` raises.
        """
        listed = await self._list_for_owner(caller, did)
        files = [file for file in listed.files if is_own(file) and (file.index or 0) >= first]
        return await begun(self._archive(files, listed.sealer))

    async def _archive(self, files: Sequence[File], sealer: Address | None) -> AsyncIterator[bytes]:
        for file in files:
            sha256, index = await self.source_opener.stored_digest(file, sealer) or "", file.index or 0
            size = await self.ports.blobs.size(sha256)
            if size is None:
                raise InsituError("ResultExpired", f"file {index} is no longer kept")
            name = file.name if file.name is not None and path_problem(file.name) is None else f"file-{index}"
            yield archive_header(index, name, size)
            async for chunk in self.ports.blobs.open(sha256):
                yield chunk
            yield archive_padding(size)
        yield END

    async def _list_for_owner(self, caller: Caller, did: str) -> Listed:
        caller.require(did=did)
        asset = await self.ports.resolver.resolve(did)
        if asset.owner.lower() != caller.address.lower():
            raise InsituError("DownloadNotAllowed", f"{did} belongs to {asset.owner}")
        return await self.list_reader.open(asset)

    async def fetch(self, execution: StoredExecution, reference: str) -> AsyncIterator[bytes]:
        """Open a file that the plan of an execution names, for the Configuration Pod.

        Raises ``ConfigurationFailed``.
        """
        source = execution.dossier.fetches.get(reference)
        if source is None:
            raise InsituError("ConfigurationFailed", f"the plan has no file {reference[:80]!r}")
        try:
            return await self._open(source)
        except InsituError as error:
            raise InsituError("ConfigurationFailed", f"file {source.index} of {source.did}: {error.detail}") from error

    async def _open(self, source: SourceReference) -> AsyncIterator[bytes]:
        asset = await self.ports.resolver.resolve(source.did, source.checksum, source.block)
        listed = await self.list_reader.open(asset, proved=source.sealer)
        return await self.source_opener.open(listed.file(source.index, source.did), listed.sealer)


async def begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Read the first chunk now, so that a missing file becomes an error response and not a broken stream."""
    first = await anext(chunks, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return whole()
