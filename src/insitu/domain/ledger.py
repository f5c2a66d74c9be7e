"""What is said to the contracts (calls) and heard from them (events), as plain values.

Contract and function names are those of the specification; the adapter of the chain encodes, sends and decodes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from insitu.domain.agreement import Settlement, Terms
from insitu.domain.ids import Address, AgreementId

__all__ = [
    "AgreementCreated",
    "Call",
    "ComputeFulfilled",
    "ComputeRefused",
    "ComputeTimedOut",
    "DidRecord",
    "DidRegistered",
    "DidTransferred",
    "EscrowAborted",
    "EscrowFulfilled",
    "LedgerEvent",
    "LockFulfilled",
    "PaymentReleased",
    "Permit",
]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changes the ledger. ``arguments`` are in the order of the ABI of the named contract."""

    contract: str
    function: str
    arguments: tuple[object, ...]


class Permit(NamedTuple):
    """A signed token allowance (ERC-2612); ``deadline`` 0 means none."""

    value: int = 0
    deadline: int = 0
    v: int = 0
    r: bytes = bytes(32)
    s: bytes = bytes(32)


def register_attribute(seed: bytes, checksum: bytes, providers: Sequence[Address], url: str) -> Call:
    """P3: register a DID for the caller."""
    return Call("DIDRegistry", "registerAttribute", (seed, checksum, list(providers), url))


def register_attribute_for(
    seed: bytes, checksum: bytes, providers: Sequence[Address], url: str, owner: Address
) -> Call:
    """E9: register a result, the caller as creator and the consumer as owner, in one transaction."""
    return Call("DIDRegistry", "registerAttributeFor", (seed, checksum, list(providers), url, owner))


def update_attribute(did: bytes, checksum: bytes, url: str) -> Call:
    """Register a new version of a DID's document; the owner calls it."""
    return Call("DIDRegistry", "updateAttribute", (did, checksum, url))


def transfer_ownership(did: bytes, owner: Address) -> Call:
    """Hand a DID to another owner, in one step."""
    return Call("DIDRegistry", "transferDIDOwnership", (did, owner))


def create_and_lock(terms: Terms, signature: bytes = b"", permit: Permit | None = None) -> Call:
    """C4 and C5 in one transaction; without ``signature`` the caller must be the consumer."""
    return Call(
        "ServiceExecutionTemplate",
        "createAgreementAndLock",
        (terms.as_tuple(), signature, tuple(permit or Permit())),
    )


def create_lock_grant(terms: Terms, signature: bytes = b"", permit: Permit | None = None, offer: bytes = b"") -> Call:
    """C4, C5 and C7 in one transaction.

    Without ``signature`` the caller must be the consumer; without ``offer``, the provider's signature of the same
    terms, the caller must be the provider.
    """
    return Call(
        "ServiceExecutionTemplate",
        "createLockGrant",
        (terms.as_tuple(), signature, tuple(permit or Permit()), offer),
    )


def grant(terms: Terms) -> Call:
    """C7: the provider grants the execution."""
    return Call("ComputeExecutionCondition", "fulfill", (terms.as_tuple(), terms.did, terms.consumer))


def refuse(terms: Terms) -> Call:
    """C7: the provider refuses; the payment goes back in the same transaction."""
    return Call("ComputeExecutionCondition", "refuse", (terms.as_tuple(),))


def settle(terms: Terms, settlement: Settlement, signature: bytes = b"") -> Call:
    """E10: release the payment against a receipt; without ``signature`` the caller must be the provider."""
    return Call("EscrowReward", "fulfill", (terms.as_tuple(), settlement.as_tuple(), signature))


def settle_batch(items: Sequence[tuple[Terms, Sequence[Settlement]]]) -> Call:
    """E10: many settlements in one transaction; the caller is the provider of all."""
    encoded = [(terms.as_tuple(), [one.as_tuple() for one in settlements]) for terms, settlements in items]
    return Call("EscrowReward", "fulfillBatch", (encoded,))


def refund(terms: Terms) -> Call:
    """Send the money of a timed-out agreement back to the consumer; anybody may call it."""
    return Call("EscrowReward", "refund", (terms.as_tuple(),))


def used(statement: bytes, did: bytes, agent: Address, activity: bytes, attributes: str) -> Call:
    """W3C PROV: an activity used an asset; owner, provider or delegate of the asset states it (design §6)."""
    return Call("DIDRegistry", "used", (statement, did, agent, activity, attributes))


def was_derived_from(
    statement: bytes, new_did: bytes, used_did: bytes, agent: Address, activity: bytes, attributes: str
) -> Call:
    """W3C PROV: an asset was made from another one; owner, provider or delegate of both states it."""
    return Call("DIDRegistry", "wasDerivedFrom", (statement, new_did, used_did, agent, activity, attributes))


def was_associated_with(statement: bytes, did: bytes, agent: Address, activity: bytes, attributes: str) -> Call:
    """W3C PROV: an agent took part in an activity on an asset; owner, provider or delegate of it states it."""
    return Call("DIDRegistry", "wasAssociatedWith", (statement, did, agent, activity, attributes))


def use_permit(owner: Address, spender: Address, permit: Permit) -> Call:
    """Turn a permit into an allowance (ERC-2612); anybody may call it."""
    return Call("NeverminedToken", "permit", (owner, spender, *permit))


@dataclass(frozen=True, slots=True)
class DidRecord:
    """A registered DID: who owns it, the checksum of its present document, where to read it (P3).

    ``checksum`` has 64 hexadecimal digits without 0x, ``version`` counts from 1, ``url`` is whatever its owner wrote.
    ``registrant`` owned it after this version was registered, in ``block``: for version 1 the beneficiary, who need not
    be the creator.
    """

    did: str
    owner: Address
    checksum: str
    url: str
    version: int
    registrant: Address
    block: int


@dataclass(frozen=True, slots=True)
class DidRegistered:
    """DIDAttributeRegistered: a DID was registered or updated; members as in :class:`DidRecord`."""

    did: str
    owner: Address
    checksum: str
    url: str
    version: int


@dataclass(frozen=True, slots=True)
class DidTransferred:
    """DIDOwnershipTransferred."""

    did: str
    previous: Address
    owner: Address


@dataclass(frozen=True, slots=True)
class AgreementCreated:
    """An agreement exists, with these terms."""

    agreement_id: AgreementId
    terms: Terms


@dataclass(frozen=True, slots=True)
class LockFulfilled:
    """LockRewardCondition.Fulfilled: the payment is in escrow (C6)."""

    agreement_id: AgreementId
    did: str
    provider: Address
    amount: int


@dataclass(frozen=True, slots=True)
class ComputeFulfilled:
    """ComputeExecutionCondition.Fulfilled: the execution is granted (C8)."""

    agreement_id: AgreementId
    did: str
    consumer: Address
    expires_at: int


@dataclass(frozen=True, slots=True)
class ComputeRefused:
    """ComputeExecutionCondition.Refused: the provider refused and the payment went back (C7)."""

    agreement_id: AgreementId
    did: str
    consumer: Address


@dataclass(frozen=True, slots=True)
class ComputeTimedOut:
    """ComputeExecutionCondition.TimedOut: refunded for want of a grant."""

    agreement_id: AgreementId
    did: str
    consumer: Address


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """One execution was settled and ``receipt_hash`` (0x and 64 digits) committed (E10); ``last``: it closed all."""

    agreement_id: AgreementId
    index: int
    charge: int
    receipt_hash: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class EscrowFulfilled:
    """EscrowReward.Fulfilled: all that will be paid is paid."""

    agreement_id: AgreementId
    settled: int
    refunded: int


@dataclass(frozen=True, slots=True)
class EscrowAborted:
    """EscrowReward.Aborted: the money went back to the consumer."""

    agreement_id: AgreementId
    settled: int
    refunded: int


LedgerEvent = (
    DidRegistered
    | DidTransferred
    | AgreementCreated
    | LockFulfilled
    | ComputeFulfilled
    | ComputeRefused
    | ComputeTimedOut
    | PaymentReleased
    | EscrowFulfilled
    | EscrowAborted
)
