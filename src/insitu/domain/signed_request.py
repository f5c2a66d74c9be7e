"""A signed request to the registry as it is sent to a gateway, and as the proof of documents that are pending."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from insitu.domain.did import Did, hash_did
from insitu.domain.ledger import Call
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationBatch,
    Transfer,
    UpdateBatch,
    registry_domain,
)
from insitu.domain.wire import Account, AccountSignature, WireRequest


class SignedRequest(WireRequest):
    """One request to the registry, for one chain and registry, with the signature of its EIP-712 digest.

    Attributes
    ----------
    registrations, updates, transfer, provider_change
        Exactly one of them.
    signature
        Of the creator of registrations, or else of the owner.
    """

    chain_id: Annotated[int, Field(ge=1, lt=2**64)]
    registry: Account
    registrations: RegistrationBatch | None = None
    updates: UpdateBatch | None = None
    transfer: Transfer | None = None
    provider_change: ProviderChange | None = None
    signature: AccountSignature

    @model_validator(mode="after")
    def _is_one_request(self) -> Self:
        parts = (self.registrations, self.updates, self.transfer, self.provider_change)
        if sum(part is not None for part in parts) != 1:
            raise ValueError("exactly one of registrations, updates, transfer and providerChange is needed")
        return self

    @property
    def request(self) -> RegistrationBatch | UpdateBatch | Transfer | ProviderChange:
        """What was signed."""
        found = self.registrations or self.updates or self.transfer or self.provider_change
        assert found is not None
        return found

    @property
    def digest(self) -> bytes:
        """The 32 bytes that were signed."""
        return self.request.digest(registry_domain(self.chain_id, self.registry))

    @property
    def signature_bytes(self) -> bytes:
        """The signature as the contract takes it."""
        return bytes.fromhex(self.signature[2:])

    @property
    def call(self) -> Call:
        """The call that carries it out."""
        return self.request.call(self.signature_bytes).for_stranger()

    @property
    def dids(self) -> tuple[str, ...]:
        """The assets that it concerns."""
        request = self.request
        if isinstance(request, RegistrationBatch):
            return tuple(str(hash_did(item.seed, request.creator)) for item in request.items)
        if isinstance(request, UpdateBatch):
            return tuple(str(Did.from_hex(item.did.hex())) for item in request.items)
        return (str(Did.from_hex(request.did.hex())),)

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """The versions that it registers: DID and checksum, 64 hexadecimal digits."""
        if isinstance(self.request, RegistrationBatch | UpdateBatch):
            checksums = [item.checksum.hex() for item in self.request.items]
            return tuple(zip(self.dids, checksums, strict=True))
        return ()
