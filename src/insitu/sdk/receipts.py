"""Receipts: checked by anybody, offline or against the chain, and good for releasing the payment (E8, E10)."""

from collections.abc import Mapping
from typing import Any

from insitu.api.gateway_v1 import ReceiptView
from insitu.domain.agreement import SignedSettlement, agreement_id
from insitu.domain.dsse import read_envelope
from insitu.domain.errors import InsituError
from insitu.domain.ledger import settle
from insitu.domain.receipt import VerifiedReceipt, verify_receipt
from insitu.domain.signatures import signature_bytes
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer

__all__ = ["release", "verify", "verify_on_chain"]

Receipt = ReceiptView | Mapping[str, Any]
"""As the gateway gives it, or only its DSSE envelope, as JSON."""


def verify(receipt: Receipt) -> VerifiedReceipt:
    """Check a receipt offline: signature, form, and that its parts fit each other. Raises ``SignatureInvalid``."""
    return verify_receipt(read_envelope(_envelope(receipt)))


async def verify_on_chain(receipt: Receipt, chain: Chain) -> VerifiedReceipt:
    """Check a receipt, and that the chain has committed to it, under an agreement that it knows.

    Raises ``SignatureInvalid``.
    """
    found = verify(receipt)
    predicate = found.statement.predicate
    domain, agreement = chain.agreements, predicate.agreement
    if agreement.chain_id != domain.chain_id or agreement.contract.lower() != domain.contract.lower():
        raise InsituError("SignatureInvalid", "the receipt belongs to another chain or contract")
    for settled in await chain.find_settlements(agreement.service_agreement_id):
        if settled.index == predicate.number:
            return verify_receipt(read_envelope(_envelope(receipt)), committed_hash=settled.receipt_hash)
    raise InsituError("SignatureInvalid", "the chain has no receipt of this execution yet", hash=found.receipt_hash)


async def release(receipt: ReceiptView | SignedSettlement, chain: Chain, signer: Signer) -> Mined:
    """E10: release the payment; anybody may, and only the agreed receivers are paid.

    Raises ``ExecutionAlreadySettled``, ``ReceiptRequired`` where the receipt releases nothing,
    ``InvalidSignature``, ``DeadlinePassed``.
    """
    settlement = receipt.settlement if isinstance(receipt, ReceiptView) else receipt
    if settlement is None:
        raise InsituError("ReceiptRequired", "this receipt releases no payment")
    agreement = agreement_id(settlement.terms, chain.agreements)
    for settled in await chain.find_settlements(agreement):
        if settled.index == settlement.settlement.index:
            detail = f"execution {settled.index} of {agreement} is settled with receipt {settled.receipt_hash}"
            raise InsituError("ExecutionAlreadySettled", detail)
    call = settle(settlement.terms, settlement.settlement, signature_bytes(settlement.signature))
    return await chain.transact(call, signer)


def _envelope(receipt: Receipt) -> Mapping[str, Any]:
    if isinstance(receipt, ReceiptView):
        return receipt.envelope
    envelope = receipt.get("envelope")
    return envelope if isinstance(envelope, Mapping) else receipt
