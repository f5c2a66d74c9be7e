"""Receipts: anybody can check them, offline or against the chain, and use them to release the payment (E8, E10)."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from insitu.api.gateway_v1 import ReceiptView
from insitu.domain.agreement import SignedSettlement, agreement_id
from insitu.domain.dsse import read_envelope
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.domain.ledger import settle
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.receipt import Predicate, VerifiedReceipt, settlement_checks, verify_receipt
from insitu.domain.receipt_opening import Opening, opening_checks
from insitu.domain.receipt_parts import require_all
from insitu.domain.signatures import signature_bytes
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer

SLACK = 60
"""Seconds by which the chain's clock may be ahead of the provider's."""

Receipt = ReceiptView | Mapping[str, Any]
"""A receipt as the gateway returns it, or only its DSSE envelope, as JSON."""

Folder = Path | str | None
"""A folder with a downloaded result."""

Opened = Opening | Mapping[str, Any] | None
"""An opening as the gateway returns it, also as JSON."""


def verify(
    receipt: Receipt, *, provider: str | None = None, files: Folder = None, opening: Opened = None
) -> VerifiedReceipt:
    """Check a receipt offline: its signature, its form, that its parts match each other, and what comes with it.

    Parameters
    ----------
    provider
        The account that must have signed; by default the one that the receipt itself names.
    files
        Folder with the downloaded result and nothing else: the receipt must be about exactly these files.
    opening
        What :meth:`insitu.sdk.execution.Execution.opening` returned: the receipt's hashes must stand for it.

    Raises ``ReceiptInvalid``, and ``FileMissing`` if there is no such folder.
    """
    found = verify_receipt(read_envelope(_envelope(receipt)))
    checks = list(_checks_of_copy(found, receipt))
    if provider is not None:
        checks.append((f"{provider} signed it", found.signer.lower() == read_address(provider).lower()))
    if files is not None:
        checks.append(_check_of_files(found, Path(files)))
    if opening is not None:
        checks += _checks_of_opening(found, opening)
    return found.model_copy(update={"checked": (*found.checked, *require_all(checks))})


async def verify_on_chain(
    receipt: Receipt, chain: Chain, *, provider: str | None = None, files: Folder = None, opening: Opened = None
) -> VerifiedReceipt:
    """Check a receipt as :func:`verify` does, and compare it with the chain.

    The chain must know the agreement and its terms, the provider must have granted it and committed to this very
    receipt, the charge may be no more than it states, and the result must be registered. If another version of the
    workflow ran than the one in the terms, the consumer must have registered it later than that one, and before the
    start.

    Raises ``ReceiptInvalid``, ``ReceiptElsewhere``, and ``ReceiptNotCommitted`` if it is not settled yet.
    """
    found = verify(receipt, provider=provider, files=files, opening=opening)
    predicate = found.statement.predicate
    domain, agreement = chain.agreements, predicate.agreement
    if agreement.chain_id != domain.chain_id or agreement.contract.lower() != domain.contract.lower():
        raise InsituError("ReceiptElsewhere")
    known = await chain.find_terms(agreement.service_agreement_id)
    state = await chain.agreement(agreement.service_agreement_id)
    granted = known is not None and agreement_id(known, domain) == agreement.service_agreement_id and state.granted
    checks = [("the chain knows the agreement, and its provider granted it", granted)]
    if isinstance(predicate, Predicate) and predicate.revision_of is not None:
        checks.append(await _check_of_revision(predicate, chain))
    if predicate.output is not None:
        record = await chain.did_record(predicate.output.result_did)
        checks.append(("the result is registered", record is not None))
    settled = await chain.find_settlements(agreement.service_agreement_id)
    committed = [settlement for settlement in settled if settlement.index == predicate.number]
    for paid in committed:
        checks.append(("its hash is the one on chain", paid.receipt_hash.lower() == found.receipt_hash))
        checks.append(("the chain charged no more than the receipt states", paid.charge <= predicate.charge.amount))
    checked = require_all(checks)
    if not committed:
        raise InsituError("ReceiptNotCommitted", hash=found.receipt_hash)
    return found.model_copy(update={"checked": (*found.checked, *checked)})


def _checks_of_copy(found: VerifiedReceipt, receipt: Receipt) -> Iterator[tuple[str, bool]]:
    """Check what is beside the envelope in the gateway's answer, which the signature does not cover."""
    if isinstance(receipt, Mapping) and not isinstance(receipt.get("envelope"), Mapping):
        return
    try:
        view = ReceiptView.model_validate(receipt)
        yield "the hash stated beside it is its own", view.receipt_hash.lower() == found.receipt_hash
        if view.settlement is not None:
            yield from settlement_checks(found, view.settlement)
    except ValidationError:
        raise InsituError("ReceiptInvalid", "this is not a receipt from a gateway") from None
    except InsituError as error:
        raise InsituError("ReceiptInvalid", f"the settlement next to it: {error.detail}") from None


def _checks_of_opening(found: VerifiedReceipt, opening: Opened) -> tuple[tuple[str, bool], ...]:
    try:
        read = Opening.model_validate(opening, extra="forbid")
    except ValidationError:
        raise InsituError("ReceiptInvalid", "this is not an opening from a gateway") from None
    return opening_checks(found.statement.predicate, read)


async def _check_of_revision(predicate: Predicate, chain: Chain) -> tuple[str, bool]:
    """Compare with the registry's events: nobody else's version counts, and no earlier one."""
    consumer, start = predicate.agreement.terms.consumer.lower(), predicate.phases[0].at.timestamp() + SLACK
    events = [event async for event in chain.registrations(predicate.workflow_did)]
    bought = min((event.version for event in events if event.checksum == predicate.revision_of), default=None)
    holds = False
    for event in events:
        if bought is not None and event.version > bought and event.checksum == predicate.workflow_checksum:
            holds |= event.owner.lower() == consumer and await chain.time(event.block) <= start
    return "the consumer registered the version that ran, after the one in the terms and before the start", holds


def _check_of_files(found: VerifiedReceipt, folder: Path) -> tuple[str, bool]:
    if not folder.is_dir():
        raise InsituError("FileMissing", f"there is no folder {folder}")
    digests = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            digests.append(FileDigest(path.relative_to(folder).as_posix(), sha256, path.stat().st_size))
    output = found.statement.predicate.output
    said = f"{output.files} files with {output.bytes} bytes" if output else "no files"
    here = f"{len(digests)} with {sum(file.size for file in digests)} bytes"
    holds = not digests if output is None else output_root(digests) == output.root
    return f"the files in {folder} ({here}) are those of the result ({said})", holds


async def release(receipt: ReceiptView | SignedSettlement, chain: Chain, signer: Signer) -> Mined:
    """Release the payment (E10). Anybody may do this, and only the agreed receivers are paid.

    Raises ``ExecutionAlreadySettled``, ``ReceiptRequired`` if the receipt releases nothing,
    ``SignatureMismatch``, ``DeadlinePassed``.
    """
    settlement = receipt.settlement if isinstance(receipt, ReceiptView) else receipt
    if settlement is None:
        raise InsituError("ReceiptRequired", "this receipt releases no payment")
    agreement = agreement_id(settlement.terms, chain.agreements)
    for settled in await chain.find_settlements(agreement):
        if settled.index == settlement.settlement.index:
            detail = f"execution {settled.index} of {agreement} is already settled, with receipt {settled.receipt_hash}"
            raise InsituError("ExecutionAlreadySettled", detail)
    call = settle(settlement.terms, settlement.settlement, signature_bytes(settlement.signature))
    return await chain.transact(call, signer)


def _envelope(receipt: Receipt) -> Mapping[str, Any]:
    if isinstance(receipt, ReceiptView):
        return receipt.envelope
    envelope = receipt.get("envelope")
    return envelope if isinstance(envelope, Mapping) else receipt
