"""Completing a publisher's description to service entries, with the parts that nobody wants to type (P1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insitu.api.gateway_v1 import BASE, EXEC_ALIASES
from insitu.domain.asset import asset_main
from insitu.domain.canonical import JsonObject, plain_json, sha256_hex
from insitu.domain.conditions import agreement_template
from insitu.domain.ddo import Ddo
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.media_types import media_type
from insitu.domain.money import parse_amount
from insitu.domain.service import COMPUTE, DEFAULT_INDICES, METADATA, Service
from insitu.domain.version_changes import with_price

ATTRIBUTES = frozenset(("main", "additionalInformation", "curation", "encryptedFiles"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where an asset is published: the URLs of catalogue and gateway, the template's contract, and its chain."""

    metadata_address: str
    gateway_url: str
    contract: Address
    chain_id: int


@dataclass(frozen=True, slots=True)
class Description:
    """An asset as its publisher describes it: ``attributes`` of the metadata service, its files, the other services."""

    attributes: JsonObject
    files: tuple[JsonObject, ...]
    services: tuple[JsonObject, ...]

    @property
    def names_urls(self) -> bool:
        """Whether the files have URLs, which must be sealed before anybody sees the document."""
        return any("url" in file for file in self.files)


def read_description(asset_metadata: Mapping[str, Any], services: Sequence[Mapping[str, Any]]) -> Description:
    """Read a description: either ``{"main": …, "additionalInformation": …}``, or ``main`` alone.

    Raises ``InvalidDocument`` for values that are not JSON, and for the sealed list of another document.
    """
    attributes = _read_attributes(asset_metadata)
    attributes.setdefault("additionalInformation", {})
    files = attributes["main"].get("files", [])
    described = tuple(file for file in files if isinstance(file, dict)) if isinstance(files, list) else ()
    numbered = tuple({"index": position, **file} for position, file in enumerate(described))
    return Description(attributes, numbered, tuple(plain_json(list(services))))


def _read_attributes(asset_metadata: Mapping[str, Any]) -> JsonObject:
    given: JsonObject = plain_json(asset_metadata)
    whole = isinstance(given.get("main"), dict) or (given and given.keys() <= ATTRIBUTES)
    attributes = given if whole else {"main": given}
    if "encryptedFiles" in attributes:
        detail = "a sealed list opens only in the document it was sealed for; name the files with their URLs instead"
        raise InsituError("InvalidDocument", detail, pointer="/encryptedFiles")
    return attributes


def revise_services(
    ddo: Ddo, asset_metadata: Mapping[str, Any], services: Sequence[Mapping[str, Any]]
) -> list[JsonObject]:
    """Return the entries of ``service[]`` with changes merged in: a member replaces, null removes (RFC 7396).

    ``services`` name the entry that they change by index, or by type. The agreement's template follows the price.
    Raises ``ServiceNotFound`` for any other entry, and like :func:`read_description`.
    """
    entries: list[JsonObject] = list(ddo.to_json().get("service", []))
    changes: list[JsonObject] = [{"type": METADATA, "attributes": _read_attributes(asset_metadata)}]
    for change in [*changes, *plain_json(list(services))]:
        at = _position(ddo, Service.read(change))
        entry = entries[at] = merge_patch(entries[at], change)
        main = entry["attributes"].get("main", {}) if entry.get("type") == COMPUTE else {}
        if "serviceAgreementTemplate" in main and "price" in change.get("attributes", {}).get("main", {}):
            main["serviceAgreementTemplate"] = with_price(main["serviceAgreementTemplate"], str(main["price"]))
    return entries


def patch_metadata(entries: Sequence[JsonObject], attributes: JsonObject) -> list[JsonObject]:
    """Return the entries of ``service[]`` with a merge patch of what describes the asset, also of its sealed list."""
    change = {"attributes": attributes}
    return [merge_patch(entry, change) if entry.get("type") == METADATA else entry for entry in entries]


def _position(ddo: Ddo, wanted: Service) -> int:
    for position, service in enumerate(ddo.service):
        if wanted.index == service.index or (wanted.index is None and wanted.type == service.type):
            return position
    raise InsituError("ServiceNotFound", f"{ddo.id} has no service {wanted.index or wanted.type}", did=ddo.id)


def merge_patch(present: Any, change: Any) -> Any:
    """Return a JSON value with a merge patch applied (RFC 7396)."""
    if not isinstance(change, dict):
        return change
    merged = dict(present) if isinstance(present, dict) else {}
    for name, member in change.items():
        if member is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), member)
    return merged


def complete_services(
    description: Description,
    public_files: Sequence[JsonObject],
    surroundings: Surroundings,
    creator: Address,
    created: str,
) -> list[JsonObject]:
    """Return the entries of ``service[]``. Given members stay, and missing ones are filled in."""
    main = asset_main({**description.attributes["main"], "files": list(public_files)}, created)
    attributes = {**description.attributes, "main": main}
    metadata: JsonObject = {
        "index": DEFAULT_INDICES[METADATA],
        "type": METADATA,
        "serviceEndpoint": surroundings.metadata_address,
        "attributes": attributes,
    }
    entries = [metadata]
    for service in description.services:
        entries.append(_complete(service, {entry["index"] for entry in entries}, surroundings, creator, created))
    return entries


def _complete(
    service: JsonObject, taken: set[int], surroundings: Surroundings, creator: Address, created: str
) -> JsonObject:
    entry = dict(service)
    given = Service.read(entry).index
    entry.pop("serviceDefinitionId", None)
    entry["index"] = _free_index(str(entry.get("type")), taken) if given is None else given
    if entry.get("type") != COMPUTE:
        return entry
    entry.setdefault("serviceEndpoint", surroundings.gateway_url + BASE + EXEC_ALIASES[0])
    entry.setdefault("templateId", surroundings.contract)
    attributes = dict(entry.get("attributes") or {})
    main = {
        "name": "dataAssetComputeServiceAgreement",
        "creator": creator,
        "datePublished": created,
        "price": "0",
        "timeout": 86400,
        **(attributes.get("main") or {}),
    }
    if "serviceAgreementTemplate" not in main and "serviceAgreementTemplate" not in attributes:
        template = agreement_template(surroundings.contract, surroundings.chain_id, price=parse_amount(main["price"]))
        main["serviceAgreementTemplate"] = template.to_json()
    entry["attributes"] = {**attributes, "main": main}
    return entry


def _free_index(kind: str, taken: set[int]) -> int:
    usual = DEFAULT_INDICES.get(kind, 5)
    return next(index for index in range(usual, usual + len(taken) + 1) if index not in taken)


def describe_contents(contents: Mapping[str, bytes]) -> list[JsonObject]:
    """Return ``main.files`` of an algorithm from the names and bytes of its files."""
    return [
        {
            "index": index,
            "name": name,
            "contentType": media_type(name),
            "contentLength": str(len(content)),
            "checksum": sha256_hex(content),
            "checksumType": "sha256",
        }
        for index, (name, content) in enumerate(sorted(contents.items()))
    ]


def identity_of(attributes: JsonObject, contents: Mapping[str, bytes]) -> JsonObject:
    """Return a copy of what identifies an algorithm: description and bytes, but not URLs, which each upload changes."""
    digests = {file: sha256_hex(data) for file, data in contents.items()}
    identity: JsonObject = plain_json({**attributes, "contents": digests})
    return identity


def describe_attributes(
    main: Mapping[str, Any], description: str, tags: Sequence[str], categories: Sequence[str]
) -> dict[str, Any]:
    """Return the attributes of a metadata service."""
    additional = {"description": description, "tags": list(tags), "categories": list(categories)}
    return {"main": main, "additionalInformation": {name: value for name, value in additional.items() if value}}
