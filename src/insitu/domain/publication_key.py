"""The Idempotency-Key of a publication: the same description has the same key in any process and SDK (ADR 0129)."""

from collections.abc import Mapping

from insitu.domain.canonical import JsonObject, canonical_json, sha256_hex
from insitu.domain.ids import Address

PURPOSE = "insitu publication"


def publication_key(
    chain_id: int,
    registry: Address,
    gateway: str,
    creator: Address,
    description: JsonObject,
    digests: Mapping[str, str] | None = None,
) -> str:
    """Return the key: 64 hexadecimal digits.

    It is the SHA-256 of the canonical JSON (RFC 8785) of purpose, chain, registry, gateway, creator and description.
    The list itself never leaves the client, because it names the urls that the gateway seals.

    Parameters
    ----------
    registry, creator
        Addresses in the case of EIP-55.
    gateway
        Address of the gateway without the path of the API.
    description
        As the caller gave it, before any default is filled in. A local file stands as its SHA-256.
    digests
        ``upload:`` url → SHA-256 of its bytes, which stands in its place: each upload has another url.
    """
    described = _with_digests(description, digests or {})
    return sha256_hex(canonical_json([PURPOSE, chain_id, registry, gateway, creator, described]))


def _with_digests(value: object, digests: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {name: _with_digests(member, digests) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_digests(entry, digests) for entry in value]
    return digests.get(value, value) if isinstance(value, str) else value
