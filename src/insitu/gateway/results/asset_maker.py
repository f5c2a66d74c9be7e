"""The result of an execution as a new asset of its consumer: document, sealed list and DID (E9)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from insitu.domain.assembly import assemble_ddo, identify, with_sealed_list
from insitu.domain.ddo import read_ddo
from insitu.domain.errors import InsituError
from insitu.domain.file_names import delivered_bytes
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.result import Origin, PublishedFile, result_service
from insitu.domain.service import File
from insitu.domain.timestamps import format_time
from insitu.domain.validation import validate_ddo
from insitu.domain.wire import WireModel
from insitu.domain.workflow import Workflow, read_workflow
from insitu.gateway.files.encrypter import Encrypter
from insitu.gateway.files.source_opener import blob_url
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import FrozenFile, FrozenResult, StoredExecution
from insitu.sdk.long_work import LongWork

MAX_MANIFEST = 64 * 1024 * 1024


class ManifestFile(WireModel):
    """A file in the manifest that the Publishing Pod delivered; ``path`` is relative, with ``/``."""

    path: str
    stage: int
    kind: Literal["output", "log"]
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    content_type: str = "application/octet-stream"


_MANIFEST = TypeAdapter(tuple[ManifestFile, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetMaker:
    """Makes results. The same manifest at the same time gives the same asset."""

    ports: GatewayPorts
    encrypter: Encrypter
    _work: LongWork = field(init=False, default_factory=LongWork)

    async def make(self, execution: StoredExecution, published: dict[str, object]) -> FrozenResult:
        """Read the manifest and write the document of the result.

        Raises ``PublishingFailed`` if the manifest or one of its files is missing; ``OutputRejected`` if the manifest
        breaks the plan's rules, or makes the document too large together with the workflow's description.
        """
        files = await self._read(execution, published)
        # With thousands of files this takes seconds, so it runs in a thread.
        return await self._work.run(self._make, execution, files, _count(published.get("leftOut")))

    def _make(self, execution: StoredExecution, files: tuple[FrozenFile, ...], left_out: int) -> FrozenResult:
        document_files = [PublishedFile(file.index, file.content_type, file.size, file.sha256) for file in files]
        created, creator = format_time(self.ports.clock.now()), self.ports.provider
        described = _workflow(execution).output_metadata
        service = result_service(
            described, self._origin(execution), document_files, self.ports.configuration.metadata_url, created
        )
        did, _ = identify([service], creator)
        sealed = self.encrypter.seal(str(did), creator, [_listed_file(file) for file in files])
        unsigned = assemble_ddo(with_sealed_list([service], sealed), creator, created)
        ddo = unsigned.signed(self.ports.signer.sign_digest(unsigned.digest))
        try:
            validate_ddo(ddo, without_compute=True)
        except InsituError as error:
            # The consumer's description or the algorithm's output is the cause; only a failure of ours would be free.
            raise InsituError("OutputRejected", f"the document of the result is not valid: {error.detail}") from error
        return FrozenResult(
            did=str(unsigned.did),
            document=ddo.to_json(),
            seed=unsigned.seed.hex(),
            checksum=unsigned.checksum,
            url=self.ports.configuration.metadata_url,
            files=files,
            left_out=left_out,
        )

    async def _read(self, execution: StoredExecution, published: dict[str, object]) -> tuple[FrozenFile, ...]:
        manifest = await self._manifest(str(published.get("manifest", "")))
        rules = execution.plan.output
        listed = [file for file in manifest if file.kind == "output" or rules.lets_logs_out]
        outputs = [file for file in listed if file.kind == "output"]
        leaving = sum(delivered_bytes(file.path, file.size) for file in outputs)
        if len(outputs) > rules.max_files or leaving > rules.max_bytes:
            raise InsituError("OutputRejected", f"{len(outputs)} files exceed the limit for output")
        if sum(file.size for file in listed if file.kind == "log") > execution.plan.log_budget:
            raise InsituError("OutputRejected", "the logs exceed the limit for log text")
        for file in listed:
            if await self.ports.blobs.size(file.sha256) != file.size:
                raise InsituError("PublishingFailed", "a file of the manifest was not delivered completely")
        listed.sort(key=lambda file: file.path)
        return tuple(
            FrozenFile(index=index, path=file.path, content_type=file.content_type, size=file.size, sha256=file.sha256)
            for index, file in enumerate(listed)
        )

    async def _manifest(self, sha256: str) -> tuple[ManifestFile, ...]:
        try:
            size = await self.ports.blobs.size(sha256)
            if size is None or size > MAX_MANIFEST:
                raise InsituError("PublishingFailed", "the manifest of the output was not delivered")
            text = b"".join([chunk async for chunk in self.ports.blobs.open(sha256)])
            return _MANIFEST.validate_python(json.loads(text))
        except (ValueError, ValidationError):
            raise InsituError("PublishingFailed", "the manifest of the output cannot be read") from None

    def _origin(self, execution: StoredExecution) -> Origin:
        plan = execution.plan
        inputs = dict.fromkeys(source.did for stage in plan.stages for source in stage.inputs if source.did is not None)
        return Origin(
            agreement_id=plan.service_agreement_id,
            execution_id=plan.workflow_execution_id,
            consumer=plan.consumer,
            workflow_did=plan.workflow_did,
            workflow_name=str(read_ddo(execution.dossier.workflow).main.get("name") or ""),
            input_dids=tuple(inputs),
            algorithm_dids=tuple(dict.fromkeys(stage.transformation.did for stage in plan.stages)),
        )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def root_of(files: Sequence[FrozenFile]) -> str:
    """Return the output root of a receipt."""
    return output_root(FileDigest(file.path, file.sha256, file.size) for file in files)


def _workflow(execution: StoredExecution) -> Workflow:
    return read_workflow(read_ddo(execution.dossier.workflow))


def _listed_file(file: FrozenFile) -> File:
    return File.read(
        {
            "index": file.index,
            "name": file.path,
            "url": blob_url(file.sha256),
            "contentType": file.content_type,
            "contentLength": str(file.size),
            "checksum": file.sha256,
            "checksumType": "sha256",
        }
    )
