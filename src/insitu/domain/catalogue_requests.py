"""What an owner, a curator or a gateway signs for one catalogue (EIP-712); at others it is worth nothing (ADR 0142)."""

from collections.abc import Mapping

from insitu.domain.asset import DATASET
from insitu.domain.canonical import JsonObject
from insitu.domain.ids import Address
from insitu.domain.typed_data import SigningDomain, struct_hash

CATALOGUE_TYPES: Mapping[str, str] = {
    "ListingRequest": "string catalogue,bytes32 did,string action,uint256 deadline",
    "CurationRequest": "string catalogue,bytes32 did,string action,string reason,uint256 deadline",
    "PublicationQuestion": "string catalogue,address creator,string key,uint256 deadline",
}
"""Name → members of each struct.

``catalogue`` is the catalogue's address without the path of the API and without a slash at its end; ``deadline`` is in
seconds since 1970. ``action`` is what the owner wants: ``list``, ``unlist`` or ``retire``; or what a curator wants:
``hide`` or ``feature`` for a public reason, or ``unhide`` or ``unfeature``, whose reason is empty.
"""
SIGNED_FOR = 300
"""Seconds that a client gives a request, so that its clock may be wrong by as much."""
LONGEST = 600
"""The most seconds from now to the deadline of a request that a catalogue accepts."""


def catalogues_domain(chain_id: int, registry: Address) -> SigningDomain:
    """Return the domain of these signatures. No contract has its name, so none of them can be sent to the chain."""
    return SigningDomain("insitu catalogues", chain_id, registry)


def catalogue_digest(kind: str, members: Mapping[str, object], domain: SigningDomain) -> bytes:
    """Return the 32 bytes to sign. Raises ``KeyError`` for an unknown kind, or members other than the struct's."""
    return domain.digest(struct_hash(kind, CATALOGUE_TYPES[kind], members))


def is_listed_by_default(main: JsonObject) -> bool:
    """Return whether strangers find an asset of which nobody signed anything: data sets, except results."""
    return main.get("type") == DATASET and "compute" not in main
