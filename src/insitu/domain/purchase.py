"""A purchase that the consumer signs and anybody may send (C3–C5; EIP-712, ERC-2612).

It needs two signatures: one of the terms, and one that lets the escrow take the price. Neither can be used twice, on
another chain, with another contract, or for other terms.
"""

from typing import Annotated

from pydantic import Field

from insitu.domain.agreement import AgreementDomain, Terms, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call, Permit, create_lock_grant
from insitu.domain.signatures import recover_address, signature_bytes
from insitu.domain.wire import Amount, WireModel

__all__ = ["SignatureText", "SignedPermit", "SignedPurchase", "call_signature"]

SignatureText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$")]
"""0x and 130 hexadecimal digits: 65 bytes r ‖ s ‖ v."""


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
    signature: SignatureText
    permit: SignedPermit | None = None

    @property
    def call(self) -> Call:
        """The call that creates, locks and grants in one transaction. The provider sends it, so it needs no offer."""
        permit = self.permit.permit if self.permit is not None else None
        return create_lock_grant(self.terms, call_signature(self.signature), permit)

    def require_consumer(self, domain: AgreementDomain) -> None:
        """Refuse a signature that is not the consumer's for these terms in this domain.

        Raises ``SignatureMismatch``.
        """
        signer = recover_address(terms_digest(self.terms, domain), self.signature)
        if signer.lower() == self.terms.consumer.lower():
            return
        detail = (
            f"the consumer is {self.terms.consumer}, but these terms were signed by {signer}, or for a contract other"
            f" than {domain.contract} on chain {domain.chain_id}"
        )
        raise InsituError("SignatureMismatch", detail, signer=signer, expectedSigner=self.terms.consumer)


def call_signature(signature: str) -> bytes:
    """Return the 65 bytes as contracts expect them, with v 27 or 28. Raises ``SignatureMismatch``."""
    raw = signature_bytes(signature)
    return raw[:64] + bytes([raw[64] + 27]) if raw[64] < 2 else raw
