"""What a consumer and an owner sign about access to a data set, besides purchases (EIP-712). Nobody asks for it yet.

The digests are fixed now, with vectors (``approvals.json``), so that signatures can be kept and judged later.
"""

from collections.abc import Mapping

from insitu.domain.ids import Address
from insitu.domain.typed_data import SigningDomain, struct_hash

APPROVAL_TYPES: Mapping[str, str] = {
    "ApprovalRequest": "bytes32 did,address consumer,string purpose,string reference,uint256 deadline",
    "Approval": "bytes32 did,address consumer,bytes32 request,uint256 ends",
    "Revocation": "bytes32 did,bytes32 approval,uint256 since",
    "OwnerAction": "bytes32 did,string action,bytes32 subject,uint256 deadline",
}
"""Name → members of each struct. Times are seconds since 1970.

A consumer asks with a purpose and a reference, say of an ethics vote. The owner answers with the digest of that request
and the time at which the approval ends, and revokes it by its digest. An owner's action, say a stop, names the hash of
what it is about.
"""


def approvals_domain(chain_id: int, registry: Address) -> SigningDomain:
    """Return the domain of these signatures. No contract has its name, so none of them can be sent anywhere."""
    return SigningDomain("insitu approvals", chain_id, registry)


def approval_digest(kind: str, members: Mapping[str, str | int], domain: SigningDomain) -> bytes:
    """Return the 32 bytes to sign. Raises ``KeyError`` for an unknown kind, or members other than the struct's."""
    return domain.digest(struct_hash(kind, APPROVAL_TYPES[kind], members))
