"""Sealing lists of files for those who publish (P1)."""

from dataclasses import dataclass, field

from insitu.api.gateway_v1 import Encrypted, EncryptRequest
from insitu.domain.did import Did, derive_did
from insitu.domain.errors import InsituError
from insitu.domain.file_names import path_problem
from insitu.domain.sealed_list import public_files
from insitu.domain.service import File
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.source_opener import SourceOpener
from insitu.gateway.files.upload_receiver import UploadReceiver
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller
from insitu.sdk.long_work import LongWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWriter:
    """Checks what a list names and seals it."""

    ports: GatewayPorts
    encrypter: Encrypter
    source_opener: SourceOpener
    upload_receiver: UploadReceiver
    _work: LongWork = field(init=False, default_factory=LongWork)

    async def seal(self, caller: Caller, request: EncryptRequest) -> Encrypted:
        """Seal a list of files for versions of one DID, with the rights of the caller (P1).

        Raises ``NotOwner``, ``InvalidDocument``, ``InvalidRequest``, ``CreatorNotAllowed``, ``TargetNotAllowed``,
        ``NotFound``.
        """
        did, sealer = Did.parse(request.did), caller.address
        if request.checksum is not None and derive_did(request.checksum, sealer) != did:
            raise InsituError("NotOwner", f"{did} does not derive from {sealer} and these checksums", did=request.did)
        if request.checksum is None and (await self.ports.resolver.record(str(did))).owner.lower() != sealer.lower():
            raise InsituError("NotOwner", f"{sealer} does not own {did}", did=request.did)
        files: list[File] = []
        listed = [File.read({"index": at, **file}, f"/files/{at}") for at, file in enumerate(request.files)]
        await self.upload_receiver.name(str(did), sealer, listed)
        for position, file in enumerate(listed):
            if file.name is not None and (problem := path_problem(file.name)):
                raise InsituError("InvalidDocument", f"the name {problem}", pointer=f"/files/{position}/name")
            await self.source_opener.check(file, sealer)
            await self.source_opener.require_there(file)
            files.append(await self.source_opener.complete(file, sealer))
        if len({file.index for file in files}) != len(files):
            raise InsituError("InvalidRequest", "two files have the same index", pointer="/files")
        sealed = await self._work.run(self.encrypter.seal, str(did), sealer, files)
        return Encrypted(encrypted_files=sealed, files=public_files(file.to_json() for file in files))
