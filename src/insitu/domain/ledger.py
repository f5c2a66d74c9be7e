"""Calls to the contracts and events from them, as plain values.

Contract and function names are those of the specification. The chain's adapter encodes, sends and decodes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from insitu.domain.agreement import Settlement, Terms
from insitu.domain.ids import Address, AgreementId

MOST_GAS = 15_000_000
"""For one transaction; the largest batch of settlements needs a tenth, and public chains allow 16.7 million."""
MOST_GAS_FOR_STRANGERS = 4_000_000
"""For what is sent for others; their largest purchase or request needs a quarter. An account judges for itself whether
it signed (ERC-1271), and it can take less gas when it is only asked than when it is sent to."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changes the ledger.

    Attributes
    ----------
    contract, function, arguments
        The arguments are in the order of the ABI of the named contract.
    most_gas
        Nobody sends it if it may need more gas. A call that runs code of strangers is allowed less.
    """

    contract: str
    function: str
    arguments: tuple[object, ...]
    most_gas: int = MOST_GAS

    def for_stranger(self) -> "Call":
        """Return the call with the bound of what is sent for somebody whose account may be a contract."""
        return replace(self, most_gas=MOST_GAS_FOR_STRANGERS)


class Permit(NamedTuple):
    """A signed token allowance (ERC-2612); ``deadline`` 0 means none."""

    value: int = 0
    deadline: int = 0
    v: int = 0
    r: bytes = bytes(32)
    s: bytes = bytes(32)


def register_attribute(seed: bytes, checksum: bytes, providers: Sequence[Address], url: str) -> Call:
    """Register a DID for the caller (P3)."""
    return Call("DIDRegistry", "registerAttribute", (seed, checksum, list(providers), url))


def register_attribute_for(
    seed: bytes, checksum: bytes, providers: Sequence[Address], url: str, owner: Address
) -> Call:
    """Register a result with the caller as creator and the consumer as owner, in one transaction (E9)."""
    return Call("DIDRegistry", "registerAttributeFor", (seed, checksum, list(providers), url, owner))


def update_attribute(did: bytes, checksum: bytes, url: str) -> Call:
    """Register a new version of a DID's document. The caller must be the owner."""
    return Call("DIDRegistry", "updateAttribute", (did, checksum, url))


def transfer_ownership(did: bytes, owner: Address) -> Call:
    """Hand a DID to another owner, in one step."""
    return Call("DIDRegistry", "transferDIDOwnership", (did, owner))


def create_and_lock(terms: Terms, signature: bytes = b"", permit: Permit | None = None) -> Call:
    """Create the agreement and lock the payment (C4, C5). Without ``signature`` the caller must be the consumer."""
    return Call(
        "ServiceExecutionTemplate",
        "createAgreementAndLock",
        (terms.as_tuple(), signature, tuple(permit or Permit())),
    )


def create_lock_grant(terms: Terms, signature: bytes = b"", permit: Permit | None = None, offer: bytes = b"") -> Call:
    """Create the agreement, lock the payment and grant in one transaction (C4, C5, C7).

    Without ``signature`` the caller must be the consumer. ``offer`` is the provider's signature of the same terms;
    without it the caller must be the provider.
    """
    return Call(
        "ServiceExecutionTemplate",
        "createLockGrant",
        (terms.as_tuple(), signature, tuple(permit or Permit()), offer),
    )


def grant(terms: Terms) -> Call:
    """Grant the execution, as the provider (C7)."""
    return Call("ComputeExecutionCondition", "fulfill", (terms.as_tuple(), terms.did, terms.consumer))


def refuse(terms: Terms) -> Call:
    """Refuse the execution, as the provider; the payment goes back in the same transaction (C7)."""
    return Call("ComputeExecutionCondition", "refuse", (terms.as_tuple(),))


def settle(terms: Terms, settlement: Settlement, signature: bytes = b"") -> Call:
    """Release the payment against a receipt (E10). Without ``signature`` the caller must be the provider."""
    return Call("EscrowReward", "fulfill", (terms.as_tuple(), settlement.as_tuple(), signature))


def settle_batch(items: Sequence[tuple[Terms, Sequence[Settlement]]]) -> Call:
    """Make many settlements in one transaction (E10). The caller must be the provider of all of them."""
    encoded = [(terms.as_tuple(), [item.as_tuple() for item in settlements]) for terms, settlements in items]
    return Call("EscrowReward", "fulfillBatch", (encoded,))


def cancel(terms: Terms) -> Call:
    """Give up an agreement whose payment is not locked, as its consumer."""
    return Call("ServiceExecutionTemplate", "cancel", (terms.as_tuple(),))


def refund(terms: Terms) -> Call:
    """Send the money of a timed-out agreement back to the consumer. Anybody may call it."""
    return Call("EscrowReward", "refund", (terms.as_tuple(),))


def used(statement: bytes, did: bytes, agent: Address, activity: bytes, attributes: str) -> Call:
    """State that an activity used an asset (W3C PROV), as owner, provider or delegate of the asset."""
    return Call("DIDRegistry", "used", (statement, did, agent, activity, attributes))


def was_derived_from(
    statement: bytes, new_did: bytes, used_did: bytes, agent: Address, activity: bytes, attributes: str
) -> Call:
    """State that an asset was made from another one (W3C PROV), as owner, provider or delegate of both."""
    return Call("DIDRegistry", "wasDerivedFrom", (statement, new_did, used_did, agent, activity, attributes))


def was_associated_with(statement: bytes, did: bytes, agent: Address, activity: bytes, attributes: str) -> Call:
    """State that an agent took part in an activity on an asset (W3C PROV), as its owner, provider or delegate."""
    return Call("DIDRegistry", "wasAssociatedWith", (statement, did, agent, activity, attributes))


def use_permit(owner: Address, spender: Address, permit: Permit) -> Call:
    """Turn a permit into an allowance (ERC-2612). Anybody may call it."""
    return Call("NeverminedToken", "permit", (owner, spender, *permit))


@dataclass(frozen=True, slots=True)
class DidRegistered:
    """DIDAttributeRegistered: a DID was registered or updated, in ``block``. Members are as in :class:`DidRecord`.

    ``owner`` is the owner from then on: the account that registered the version, or for version 1 its beneficiary.
    ``previous_block`` is the block of the version before, 0 for the first. Following it finds every version.
    """

    did: str
    owner: Address
    checksum: str
    url: str
    version: int
    previous_block: int
    block: int


@dataclass(frozen=True, slots=True)
class DidRecord:
    """A registered DID: its owner, the checksum of its current document, and where to read that (P3).

    ``checksum`` has 64 hexadecimal digits without 0x, ``version`` counts from 1, and ``url`` is whatever its owner
    wrote. ``registrant`` owned it after this version was registered, in ``block``; for version 1 that is the
    beneficiary, who need not be the creator. ``changes`` counts how often the owner or a provider
    changed, which a signed transfer has to name.
    """

    did: str
    owner: Address
    checksum: str
    url: str
    version: int
    registrant: Address
    block: int
    changes: int
    previous_block: int

    @property
    def registered(self) -> DidRegistered:
        """The event of the current version."""
        return DidRegistered(
            self.did, self.registrant, self.checksum, self.url, self.version, self.previous_block, self.block
        )


@dataclass(frozen=True, slots=True)
class DidTransferred:
    """DIDOwnershipTransferred: a DID has a new owner."""

    did: str
    previous: Address
    owner: Address


@dataclass(frozen=True, slots=True)
class DidProviderAdded:
    """DIDProviderAdded: an account may provide a DID."""

    did: str
    provider: Address


@dataclass(frozen=True, slots=True)
class DidProviderRemoved:
    """DIDProviderRemoved: an account may no longer provide a DID."""

    did: str
    provider: Address


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
    """ComputeExecutionCondition.TimedOut: the payment went back because nobody granted in time."""

    agreement_id: AgreementId
    did: str
    consumer: Address


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """An execution was settled, committing ``receipt_hash`` (0x and 64 digits); ``last`` closed the agreement (E10)."""

    agreement_id: AgreementId
    index: int
    charge: int
    receipt_hash: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class EscrowFulfilled:
    """EscrowReward.Fulfilled: everything that will be paid is paid."""

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
    | DidProviderAdded
    | DidProviderRemoved
    | AgreementCreated
    | LockFulfilled
    | ComputeFulfilled
    | ComputeRefused
    | ComputeTimedOut
    | PaymentReleased
    | EscrowFulfilled
    | EscrowAborted
)
