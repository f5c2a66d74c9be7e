"""Results and files for those who own them, and uploads of those who publish (E9, design §5, §7)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from insitu.api.archive import END, archive_header, archive_padding
from insitu.api.gateway_v1 import Encrypted, EncryptRequest, Uploaded
from insitu.domain.did import Did, derive_did
from insitu.domain.errors import InsituError
from insitu.domain.file_names import path_problem
from insitu.domain.ids import Address
from insitu.domain.sealed_list import public_files
from insitu.domain.service import File
from insitu.gateway.files.encrypter import Sealing
from insitu.gateway.files.list_reader import Listed, Lists
from insitu.gateway.files.source_opener import FileSources, is_own, upload_url
from insitu.gateway.files.upload_receiver import Uploads
from insitu.gateway.sign_in.authenticator import Caller
from insitu.ports.agreement_records import SourceReference, StoredExecution
from insitu.ports.blobs import Blobs
from insitu.sdk.long_work import LongWork
from insitu.sdk.resolving import Resolver

__all__ = ["Download", "Files", "begun"]


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: its name and path within the asset, type, bytes where known, and the content."""

    name: str
    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


class Files:
    """Seals lists, takes uploads, hands out files."""

    def __init__(
        self,
        blobs: Blobs,
        resolver: Resolver,
        sealing: Sealing,
        lists: Lists,
        sources: FileSources,
        uploads: Uploads,
    ) -> None:
        self._blobs = blobs
        self._resolver = resolver
        self._sealing = sealing
        self._lists = lists
        self._work = LongWork()
        self._sources = sources
        self._uploads = uploads

    async def encrypt(self, caller: Caller, request: EncryptRequest) -> Encrypted:
        """Seal a list of files for versions of one DID, with the rights of the caller (P1).

        Raises ``NotOwner``, ``InvalidDocument``, ``InvalidRequest``, ``CreatorNotAllowed``, ``TargetNotAllowed``,
        ``NotFound``.
        """
        did, sealer = Did.parse(request.did), caller.address
        if request.checksum is not None and derive_did(request.checksum, sealer) != did:
            raise InsituError("NotOwner", f"{did} does not derive from {sealer} and these checksums", did=request.did)
        if request.checksum is None and (await self._resolver.record(str(did))).owner.lower() != sealer.lower():
            raise InsituError("NotOwner", f"{sealer} does not own {did}", did=request.did)
        files: list[File] = []
        listed = [File.read({"index": at, **one}, f"/files/{at}") for at, one in enumerate(request.files)]
        await self._uploads.name(str(did), sealer, listed)
        for position, file in enumerate(listed):
            if file.name is not None and (problem := path_problem(file.name)):
                raise InsituError("InvalidDocument", f"the name {problem}", pointer=f"/files/{position}/name")
            await self._sources.check(file, sealer)
            await self._sources.require_there(file)
            files.append(await self._sources.completed(file, sealer))
        if len({file.index for file in files}) != len(files):
            raise InsituError("InvalidRequest", "two files have the same index", pointer="/files")
        sealed = await self._work.run(self._sealing.seal, str(did), sealer, files)
        return Encrypted(encrypted_files=sealed, files=public_files(file.to_json() for file in files))

    async def upload(
        self, caller: Caller, chunks: AsyncIterator[bytes], *, announced: int | None = None, network: str = ""
    ) -> Uploaded:
        """Keep a file that the caller may name in lists of files. Raises what :meth:`Uploads.receive` raises."""
        upload = await self._uploads.receive(caller.address, chunks, announced=announced, network=network)
        return Uploaded(url=upload_url(upload.upload_id), sha256=upload.sha256, size=upload.size)

    async def download(self, caller: Caller, did: str, index: int) -> Download:
        """Open a file of an asset for its on-chain owner, and nobody else.

        Raises ``InvalidDid``, ``AssetNotFound``, ``DownloadNotAllowed``, ``NotFound``, ``FileNotDownloadable``,
        ``ResultExpired``.
        """
        listed = await self._owned(caller, did)
        file = listed.file(index, did)
        try:
            chunks = await begun(await self._sources.open(file, listed.sealer))
        except InsituError as error:
            if error.code == "NotFound" and (file.url or "").startswith("blob:"):
                raise InsituError("ResultExpired", "the files of this result are no longer kept") from None
            raise
        content_type = file.content_type or "application/octet-stream"
        # A length that somebody else's document states is no promise of what its url gives.
        size = file.size if is_own(file) else None
        return Download(file.name or f"file-{index}", content_type, size, chunks)

    async def archive(self, caller: Caller, did: str, first: int) -> AsyncIterator[bytes]:
        """Open those files of an asset that lie here, from index ``first`` on, as one archive for its on-chain owner.

        Raises what :meth:`download` raises.
        """
        listed = await self._owned(caller, did)
        files = [file for file in listed.files if is_own(file) and (file.index or 0) >= first]
        return await begun(self._archived(files, listed.sealer))

    async def _archived(self, files: Sequence[File], sealer: Address | None) -> AsyncIterator[bytes]:
        for file in files:
            sha256, index = await self._sources.stored(file, sealer) or "", file.index or 0
            size = await self._blobs.size(sha256)
            if size is None:
                raise InsituError("ResultExpired", f"file {index} is no longer kept")
            name = file.name if file.name is not None and path_problem(file.name) is None else f"file-{index}"
            yield archive_header(index, name, size)
            async for chunk in self._blobs.open(sha256):
                yield chunk
            yield archive_padding(size)
        yield END

    async def _owned(self, caller: Caller, did: str) -> Listed:
        caller.require(did=did)
        asset = await self._resolver.resolve(did)
        if asset.owner.lower() != caller.address.lower():
            raise InsituError("DownloadNotAllowed", f"{did} belongs to {asset.owner}")
        return await self._lists.open(asset)

    async def fetch(self, execution: StoredExecution, reference: str) -> AsyncIterator[bytes]:
        """Open a file that the plan of an execution names, for its Configuration Pod.

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
        asset = await self._resolver.resolve(source.did, source.checksum)
        listed = await self._lists.open(asset, proved=source.sealer)
        return await self._sources.open(listed.file(source.index, source.did), listed.sealer)


async def begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Read the first chunk now, so that a missing file is an answer and not a broken stream."""
    first = await anext(chunks, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return whole()
