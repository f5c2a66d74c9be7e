"""Requests to the registry that an owner signs and anybody may send (EIP-712; ADR 0119).

A registration works once, because the DID is taken afterwards. An update names the version that it makes. A transfer
and a change of a provider name the number of such changes before them. None can be sent after its deadline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from insitu.domain.canonical import keccak256
from insitu.domain.ids import Address
from insitu.domain.ledger import Call
from insitu.domain.typed_data import SigningDomain, word
from insitu.domain.wire import Account, Bytes32, WireRequest

__all__ = [
    "PROVIDER_CHANGE_TYPE",
    "REGISTRATIONS_TYPE",
    "REGISTRATION_TYPE",
    "TRANSFER_TYPE",
    "UPDATES_TYPE",
    "UPDATE_TYPE",
    "ProviderChange",
    "RegistrationBatch",
    "RegistrationItem",
    "Transfer",
    "UpdateBatch",
    "UpdateItem",
    "registry_domain",
]

REGISTRATION_TYPE = "Registration(bytes32 didSeed,bytes32 checksum,address[] providers,string url)"
REGISTRATIONS_TYPE = "Registrations(address creator,Registration[] items,uint256 deadline)" + REGISTRATION_TYPE
UPDATE_TYPE = "Update(bytes32 did,bytes32 checksum,string url,uint256 version)"
UPDATES_TYPE = "Updates(address owner,Update[] items,uint256 deadline)" + UPDATE_TYPE
TRANSFER_TYPE = "Transfer(bytes32 did,address newOwner,uint256 changes,uint256 deadline)"
PROVIDER_CHANGE_TYPE = "ProviderChange(bytes32 did,address provider,bool allowed,uint256 changes,uint256 deadline)"


MOST = 16
"""Items of a request, and providers of an item: all of it is hashed before anybody knows who signed it."""

Url = Annotated[str, Field(min_length=1, max_length=2048)]
Count = Annotated[int, Field(ge=0, lt=2**64)]


def registry_domain(chain_id: int, registry: Address) -> SigningDomain:
    """Return the domain in which requests to a registry are signed."""
    return SigningDomain("DIDRegistry", chain_id, registry)


@dataclass(frozen=True, slots=True)
class RegistrationItem:
    """An asset to register.

    Attributes
    ----------
    seed, checksum
        32 bytes each: the hash of the document's checksums, from which and the creator the DID derives; and the hash of
        the document.
    providers
        The accounts besides the creator that may provide it.
    url
        Where the document is, at most 2048 bytes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    seed: Bytes32
    checksum: Bytes32
    providers: Annotated[tuple[Account, ...], Field(max_length=MOST)]
    url: Url

    def as_tuple(self) -> tuple[object, ...]:
        """Return the struct as contract calls take it."""
        return (self.seed, self.checksum, list(self.providers), self.url)

    def hash(self) -> bytes:
        """Return the struct hash (EIP-712)."""
        providers = keccak256(b"".join(word(account) for account in self.providers))
        return _hash(REGISTRATION_TYPE, self.seed, self.checksum, providers, keccak256(self.url.encode()))


@dataclass(frozen=True, slots=True)
class UpdateItem:
    """A new version of an asset's document: ``version`` is the present one plus one; ``did`` has 32 bytes."""

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    did: Bytes32
    checksum: Bytes32
    url: Url
    version: Count

    def as_tuple(self) -> tuple[object, ...]:
        """Return the struct as contract calls take it."""
        return (self.did, self.checksum, self.url, self.version)

    def hash(self) -> bytes:
        """Return the struct hash (EIP-712)."""
        return _hash(UPDATE_TYPE, self.did, self.checksum, keccak256(self.url.encode()), word(self.version))


@dataclass(frozen=True, slots=True)
class RegistrationBatch:
    """A batch of registrations of one creator; ``deadline`` in seconds since 1970, inclusive."""

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    creator: Account
    items: Annotated[Sequence[RegistrationItem], Field(min_length=1, max_length=MOST)]
    deadline: Count

    def digest(self, domain: SigningDomain) -> bytes:
        """Return the 32 bytes that the creator signs."""
        return domain.digest(_batch_hash(REGISTRATIONS_TYPE, self.creator, self.items, self.deadline))

    def call(self, signature: bytes) -> Call:
        """Return the call that anybody may send with the creator's signature."""
        items = [item.as_tuple() for item in self.items]
        return _call("registerAttributesBySignature", self.creator, items, self.deadline, signature)


@dataclass(frozen=True, slots=True)
class UpdateBatch:
    """A batch of updates of one owner; ``deadline`` in seconds since 1970, inclusive."""

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    owner: Account
    items: Annotated[Sequence[UpdateItem], Field(min_length=1, max_length=MOST)]
    deadline: Count

    def digest(self, domain: SigningDomain) -> bytes:
        """Return the 32 bytes that the owner signs."""
        return domain.digest(_batch_hash(UPDATES_TYPE, self.owner, self.items, self.deadline))

    def call(self, signature: bytes) -> Call:
        """Return the call that anybody may send with the owner's signature."""
        items = [item.as_tuple() for item in self.items]
        return _call("updateAttributesBySignature", self.owner, items, self.deadline, signature)


@dataclass(frozen=True, slots=True)
class Transfer:
    """An asset goes to another owner; ``changes`` is the registry's count of owners and providers changed so far."""

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    did: Bytes32
    new_owner: Account
    changes: Count
    deadline: Count

    def digest(self, domain: SigningDomain) -> bytes:
        """Return the 32 bytes that the present owner signs."""
        words = (self.did, word(self.new_owner), word(self.changes), word(self.deadline))
        return domain.digest(_hash(TRANSFER_TYPE, *words))

    def call(self, signature: bytes) -> Call:
        """Return the call that anybody may send with the owner's signature."""
        arguments = (self.did, self.new_owner, self.changes, self.deadline, signature)
        return _call("transferDIDOwnershipBySignature", *arguments)


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """An account may provide an asset, or no longer; ``changes`` as in :class:`Transfer`."""

    __pydantic_config__: ClassVar[ConfigDict] = WireRequest.model_config

    did: Bytes32
    provider: Account
    allowed: bool
    changes: Count
    deadline: Count

    def digest(self, domain: SigningDomain) -> bytes:
        """Return the 32 bytes that the owner signs."""
        words = (self.did, word(self.provider), word(self.allowed), word(self.changes), word(self.deadline))
        return domain.digest(_hash(PROVIDER_CHANGE_TYPE, *words))

    def call(self, signature: bytes) -> Call:
        """Return the call that anybody may send with the owner's signature."""
        arguments = (self.did, self.provider, self.allowed, self.changes, self.deadline, signature)
        return _call("setDIDProviderBySignature", *arguments)


def _batch_hash(
    kind: str, account: Address, items: Sequence[RegistrationItem] | Sequence[UpdateItem], deadline: int
) -> bytes:
    hashes = keccak256(b"".join(item.hash() for item in items))
    return _hash(kind, word(account), hashes, word(deadline))


def _hash(kind: str, *words: bytes) -> bytes:
    return keccak256(b"".join([keccak256(kind.encode()), *words]))


def _call(function: str, *arguments: object) -> Call:
    return Call("DIDRegistry", function, arguments)
