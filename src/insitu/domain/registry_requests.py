"""Requests to the registry that an owner signs and anybody may send (EIP-712; ADR 0119).

A registration works once, because the DID is taken afterwards. An update names the version that it makes. A transfer
and a change of a provider name the number of such changes before them. None can be sent after its deadline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from insitu.domain.ids import Address
from insitu.domain.ledger import Call
from insitu.domain.typed_data import SigningDomain, Struct
from insitu.domain.wire import Account, Bytes32, WireRequest

MOST = 16
"""Items of a request, and providers of an item: all of it is hashed before anybody knows who signed it."""

Url = Annotated[str, Field(min_length=1, max_length=2048)]
Count = Annotated[int, Field(ge=0, lt=2**64)]


def registry_domain(chain_id: int, registry: Address) -> SigningDomain:
    """Return the domain in which requests to a registry are signed."""
    return SigningDomain("DIDRegistry", chain_id, registry)


@dataclass(frozen=True, slots=True)
class RegistrationItem(Struct):
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

    TYPE = "Registration(bytes32 didSeed,bytes32 checksum,address[] providers,string url)"
    __pydantic_config__ = WireRequest.model_config

    seed: Bytes32
    checksum: Bytes32
    providers: Annotated[tuple[Account, ...], Field(max_length=MOST)]
    url: Url


@dataclass(frozen=True, slots=True)
class UpdateItem(Struct):
    """A new version of an asset's document: ``version`` is the present one plus one; ``did`` has 32 bytes."""

    TYPE = "Update(bytes32 did,bytes32 checksum,string url,uint256 version)"
    __pydantic_config__ = WireRequest.model_config

    did: Bytes32
    checksum: Bytes32
    url: Url
    version: Count


@dataclass(frozen=True, slots=True)
class RegistryRequest(Struct):
    """What an owner signs, and the function of the registry that takes it."""

    FUNCTION: ClassVar[str]
    __pydantic_config__ = WireRequest.model_config

    def digest(self, domain: SigningDomain) -> bytes:
        """Return the 32 bytes that the creator or the present owner signs."""
        return domain.digest(self.hash())

    def call(self, signature: bytes) -> Call:
        """Return the call that anybody may send with that signature."""
        return Call("DIDRegistry", self.FUNCTION, (*self.as_tuple(), signature))


@dataclass(frozen=True, slots=True)
class RegistrationBatch(RegistryRequest):
    """A batch of registrations of one creator; ``deadline`` in seconds since 1970, inclusive."""

    TYPE = "Registrations(address creator,Registration[] items,uint256 deadline)" + RegistrationItem.TYPE
    FUNCTION = "registerAttributesBySignature"

    creator: Account
    items: Annotated[Sequence[RegistrationItem], Field(min_length=1, max_length=MOST)]
    deadline: Count


@dataclass(frozen=True, slots=True)
class UpdateBatch(RegistryRequest):
    """A batch of updates of one owner; ``deadline`` in seconds since 1970, inclusive."""

    TYPE = "Updates(address owner,Update[] items,uint256 deadline)" + UpdateItem.TYPE
    FUNCTION = "updateAttributesBySignature"

    owner: Account
    items: Annotated[Sequence[UpdateItem], Field(min_length=1, max_length=MOST)]
    deadline: Count


@dataclass(frozen=True, slots=True)
class Transfer(RegistryRequest):
    """An asset goes to another owner; ``changes`` is the registry's count of owners and providers changed so far."""

    TYPE = "Transfer(bytes32 did,address newOwner,uint256 changes,uint256 deadline)"
    FUNCTION = "transferDIDOwnershipBySignature"

    did: Bytes32
    new_owner: Account
    changes: Count
    deadline: Count


@dataclass(frozen=True, slots=True)
class ProviderChange(RegistryRequest):
    """An account may provide an asset, or no longer; ``changes`` as in :class:`Transfer`."""

    TYPE = "ProviderChange(bytes32 did,address provider,bool allowed,uint256 changes,uint256 deadline)"
    FUNCTION = "setDIDProviderBySignature"

    did: Bytes32
    provider: Account
    allowed: bool
    changes: Count
    deadline: Count
