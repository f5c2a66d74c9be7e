"""The asset that an execution creates: its metadata and services (E9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insitu.domain.asset import DATASET, DEFAULT_LICENSE
from insitu.domain.canonical import JsonObject, plain_json
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.service import DEFAULT_INDICES, METADATA

MAX_TEXT = 200
_DESCRIBED = ("name", "author", "license")
"""Members of ``main`` that the consumer may set; everything else says where the result came from."""


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of the result as everybody may see it: without name and path, which may reveal what the data is about."""

    index: int
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a result came from."""

    agreement_id: AgreementId
    execution_id: ExecutionId
    consumer: Address
    workflow_did: str
    workflow_name: str
    input_dids: tuple[str, ...]
    algorithm_dids: tuple[str, ...]


def result_service(
    described: Mapping[str, object],
    origin: Origin,
    files: Sequence[PublishedFile],
    endpoint: str,
    created: str,
) -> JsonObject:
    """Return the metadata service of a result, for ``assembly.assemble_ddo``.

    Raises ``InvalidDocument`` if the description is not JSON, which cannot happen for a valid workflow.

    Parameters
    ----------
    described
        The workflow's ``output.metadata``: either {main, additionalInformation} as for registering an asset, or flat.
        The consumer may only set name, author and license of ``main``.
    origin
        Where the result came from.
    files
        In ascending index.
    endpoint
        URL with ``{did}`` at which the document will be found.
    created
        The current time.
    """
    main, additional = _split(described)
    return {
        "index": DEFAULT_INDICES[METADATA],
        "type": METADATA,
        "serviceEndpoint": endpoint,
        "attributes": {
            "main": {
                "name": _text(main, "name") or f"Result of {origin.workflow_name or origin.workflow_did}"[:MAX_TEXT],
                "type": DATASET,
                "dateCreated": created,
                "datePublished": created,
                "author": _text(main, "author") or origin.consumer,
                "license": _text(main, "license") or DEFAULT_LICENSE,
                "price": "0",
                "files": [_public(file) for file in files],
                "compute": {
                    "serviceAgreementId": origin.agreement_id,
                    "workflowExecutionId": origin.execution_id,
                    "workflow": origin.workflow_did,
                    "inputs": list(origin.input_dids),
                    "algorithms": list(origin.algorithm_dids),
                },
            },
            "additionalInformation": additional,
        },
    }


def _split(described: Mapping[str, object]) -> tuple[JsonObject, JsonObject]:
    """Split the consumer's description into ``main`` and additional information."""
    plain: JsonObject = plain_json(described)
    nested = plain.get("main")
    if isinstance(nested, dict):
        additional = plain.get("additionalInformation")
        return nested, additional if isinstance(additional, dict) else {}
    main = {name: plain[name] for name in _DESCRIBED if name in plain}
    return main, {name: value for name, value in plain.items() if name not in _DESCRIBED}


def _text(main: JsonObject, name: str) -> str:
    value = main.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _public(file: PublishedFile) -> JsonObject:
    return {
        "index": file.index,
        "contentType": file.content_type,
        "contentLength": str(file.size),
        "checksum": file.sha256,
        "checksumType": "sha256",
    }
