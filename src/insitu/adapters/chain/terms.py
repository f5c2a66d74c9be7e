"""Convert the terms of an agreement: the domain writes hexadecimal digits, the contracts take bytes."""

from dataclasses import fields
from typing import Any

from insitu.adapters.chain.bindings import structs
from insitu.domain.agreement import Terms

__all__ = ["contract_terms", "domain_terms"]

_NAMES = tuple(field.name for field in fields(structs.Terms))
_HASHES = ("seed", "did", "inputs_hash", "workflow_id", "workflow_hash")


def contract_terms(terms: Terms) -> structs.Terms:
    """Return the terms as the contracts take them."""
    members = _members(terms)
    return structs.Terms(**members | {name: bytes.fromhex(members[name].removeprefix("0x")) for name in _HASHES})


def domain_terms(terms: structs.Terms) -> Terms:
    """Return the terms as the domain writes them; they come from the chain, so they are checked again."""
    members = _members(terms)
    return Terms(**members | {name: "0x" + members[name].hex() for name in _HASHES})


def _members(terms: Terms | structs.Terms) -> dict[str, Any]:
    return {name: getattr(terms, name) for name in _NAMES}
