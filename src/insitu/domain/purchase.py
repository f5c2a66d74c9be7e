"""A purchase that the consumer signs and anybody may send (C3–C5; EIP-712, ERC-2612).

It needs two signatures: one of the terms, and one that lets the escrow take the price. Neither can be used twice, on
another chain, with another contract, or for other terms.
"""

from typing import Annotated

from pydantic import Field

from insitu.domain.agreement import AgreementDomain, Terms, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call, Permit, create_lock_grant
from insitu.domain.signatures import account_signature, recover_address, signature_bytes
from insitu.domain.wire import AccountSignature, Amount, WireModel

SignatureText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
"""0x and 130 hexadecimal digits: 65 bytes r ‖ s ‖ v, the signature of a plain account."""
NO_PERMIT = "a contract account cannot sign a permit, so it has to allow the escrow the price beforehand (approve)"
"""Token permits are signatures of keys only (ERC-2612)."""


class SignedPermit(WireModel):
    """A token allowance by signature (ERC-2612).

    Attributes
    ----------
    value
        Base units that the escrow may take, at least the price.
    deadline
        Seconds since 1970.
    """

    value: Amount
    deadline: Annotated[int, Field(ge=1, lt=2**64)]
    signature: SignatureText

    @classmethod
    def of(cls, permit: Permit) -> "SignedPermit":
        """Return a permit in the form in which it is sent."""
        raw = permit.r + permit.s + bytes([permit.v])
        return cls(value=permit.value, deadline=permit.deadline, signature="0x" + raw.hex())

    @property
    def permit(self) -> Permit:
        """The permit as the contracts take it."""
        raw = call_signature(self.signature)
        return Permit(self.value, self.deadline, raw[64], raw[:32], raw[32:64])


class SignedPurchase(WireModel):
    """Terms with the consumer's signature. A price also needs a permit, or an allowance that exists already."""

    terms: Terms
    signature: AccountSignature
    permit: SignedPermit | None = None

    def call(self, domain: AgreementDomain) -> Call:
        """Return the call that creates, locks and grants in one transaction; the provider sends it without an offer."""
        permit = self.permit.permit if self.permit is not None else None
        return create_lock_grant(self.terms, self._signature(domain), permit).for_stranger()

    def digest(self, domain: AgreementDomain) -> bytes:
        """Return what the consumer signs: the EIP-712 digest of the terms."""
        return terms_digest(self.terms, domain)

    def _signature(self, domain: AgreementDomain) -> bytes:
        """Return the signature for the contract, which wants v of a key's signature as 27 or 28."""
        raw = account_signature(self.signature)
        try:
            signer = recover_address(self.digest(domain), raw)
        except InsituError:
            return raw  # of a contract account
        return call_signature(self.signature) if signer == self.terms.consumer else raw


def call_signature(signature: str) -> bytes:
    """Return the 65 bytes as contracts expect them, with v 27 or 28. Raises ``SignatureMismatch``."""
    raw = signature_bytes(signature)
    return raw[:64] + bytes([raw[64] + 27]) if raw[64] < 2 else raw
