"""The receipt of an execution: an in-toto statement that the provider signs and the contract commits to (E8, E10).

It says which agreement, workflow, images, algorithms and inputs (as salted roots) produced which output, what was used
under which limits and rules, and what is charged. ``receiptHash`` is the SHA-256 of its payload.
"""

import json
from collections.abc import Iterable
from typing import Final, Literal

from pydantic import Field, JsonValue

from insitu.domain.agreement import AgreementDomain, SignedSettlement, Terms, TermsV1, agreement_id, settlement_digest
from insitu.domain.canonical import canonical_json, plain_json, sha256_hex
from insitu.domain.did import Did
from insitu.domain.dsse import PAYLOAD_TYPE, Envelope, envelope_signer
from insitu.domain.errors import InsituError
from insitu.domain.execution import NOTHING_DELIVERED, Charge, Phase, Reason, Usage, charge_of
from insitu.domain.ids import Address, AgreementId, ExecutionId, workflow_execution_id
from insitu.domain.plan import ImageReference, OutputRules
from insitu.domain.policy import Verdict
from insitu.domain.signatures import recover_address
from insitu.domain.wire import Amount, Time, WireModel

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:insitu:execution-receipt:v1"


class AgreementPart(WireModel):
    """The whole agreement: its id is the EIP-712 digest of these terms in this domain, so anybody can check it."""

    service_agreement_id: AgreementId
    chain_id: int
    contract: Address
    terms: TermsV1 | Terms


class InputPart(WireModel):
    """An input of a stage: the version of a data set and the salted root of its files, or an earlier stage's output."""

    index: int
    position: int
    did: str | None = None
    checksum: str | None = None
    """On-chain checksum of the data set's DDO at exec."""
    root: str | None = None
    """``merkle.files_root`` with the provider's salt over the files that were mounted."""
    previous_stage: int | None = None


class AlgorithmPart(WireModel):
    """The algorithm: version and the SHA-256 of each file as verified before the run."""

    did: str
    checksum: str
    files: dict[str, str]
    """File index → 64 hex digits."""


class StagePart(WireModel):
    """One stage as it ran. Times and exit code are null if it never did.

    If the consumer may not see logs, the exit code, usage and the reason's sentence are left out, as everywhere the
    consumer looks, because the algorithm determines them.
    """

    index: int
    stage_type: str
    image: ImageReference
    algorithm: AlgorithmPart
    parameters: dict[str, str | int | float | bool]
    inputs: tuple[InputPart, ...]
    attempt: int
    started_at: Time | None = None
    ended_at: Time | None = None
    exit_code: int | None = None
    usage: Usage = Usage()
    """What the infrastructure did not report is null, with a reason in ``unavailable`` (E8)."""
    reason: Reason | None = None


class PolicyPart(WireModel):
    """The owners' verdict and the rules that applied to the output."""

    verdict: Verdict
    checksums: dict[str, str]
    """DID of an input → on-chain checksum of the version whose policy counted."""
    output: OutputRules


class PhasePart(WireModel):
    """When a phase began."""

    phase: Phase
    at: Time


class OutputPart(WireModel):
    """What was published: ``merkle.output_root`` over the files, their number and bytes, and the new asset."""

    root: str
    files: int
    bytes: int
    published_stages: tuple[int, ...]
    result_did: str


class ChargePart(WireModel):
    """What the execution costs: ``amount`` base units may be settled with this receipt if ``rule`` says so."""

    rule: Charge
    amount: Amount


class Software(WireModel):
    """What made the receipt, what ran the execution, and what enforced which limit."""

    name: str = "insitu"
    version: str
    runtime: str = ""
    enforcement: dict[str, str] = Field(default_factory=dict)


class Predicate(WireModel):
    """Everything that the receipt states. ``number`` counts the executions of the agreement from 0."""

    agreement: AgreementPart
    workflow_execution_id: ExecutionId
    number: int
    workflow_did: str
    workflow_checksum: str
    stages: tuple[StagePart, ...]
    policy: PolicyPart
    phases: tuple[PhasePart, ...]
    outcome: Literal[Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED]
    reason: Reason | None = None
    output: OutputPart | None = None
    charge: ChargePart
    software: Software


class Subject(WireModel):
    """What a statement is about."""

    name: str
    digest: dict[str, str]


class Statement(WireModel):
    """An in-toto statement (v1) about an execution."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:insitu:execution-receipt:v1"] = PREDICATE_TYPE
    predicate: Predicate

    @property
    def payload(self) -> bytes:
        """The bytes that are signed and hashed: the canonical JSON of the statement."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


class VerifiedReceipt(WireModel):
    """A valid receipt: who signed it, its hash as on chain (0x…), what it states, and what was checked."""

    signer: Address
    receipt_hash: str
    statement: Statement
    checked: tuple[str, ...]


def make_statement(predicate: Predicate) -> Statement:
    """Return the statement of a predicate: about the output, or about the workflow if nothing was published."""
    return Statement(subject=(_subject(predicate),), predicate=predicate)


def _subject(predicate: Predicate) -> Subject:
    if predicate.output is not None:
        return Subject(name=predicate.output.result_did, digest={"sha256": predicate.output.root})
    return Subject(name=predicate.workflow_did, digest={"sha3_256": predicate.workflow_checksum})


def receipt_hash(payload: bytes) -> str:
    """Return the hash that the contract commits to: 0x and the SHA-256 of the payload."""
    return "0x" + sha256_hex(payload)


def parse_statement(payload: bytes) -> Statement:
    """Read a receipt's payload.

    Raises ``ReceiptInvalid`` if it is not a receipt of this kind or not in canonical form.
    """
    try:
        value: JsonValue = json.loads(payload)
        if canonical_json(plain_json(value)) != payload:
            raise InsituError("ReceiptInvalid", "the receipt is not canonical JSON")
        return Statement.model_validate(value)
    except (ValueError, RecursionError):
        raise InsituError("ReceiptInvalid", "the payload is not a receipt of an execution") from None
    except InsituError as error:
        raise InsituError("ReceiptInvalid", error.detail) from None


def verify_receipt(envelope: Envelope) -> VerifiedReceipt:
    """Check a receipt offline: its signature, its form, and that its parts match each other.

    Raises ``ReceiptInvalid``, saying which check failed.

    Parameters
    ----------
    envelope
        As ``dsse.read_envelope`` gives it.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise InsituError("ReceiptInvalid", f"the payload is not of type {PAYLOAD_TYPE}")
    payload = envelope.payload_bytes()
    signer, statement, digest = envelope_signer(envelope), parse_statement(payload), receipt_hash(payload)
    predicate = statement.predicate
    checks = [
        ("the provider of the agreement signed it", signer.lower() == predicate.agreement.terms.provider.lower()),
        ("the agreement id is the digest of its terms", _fits_terms(predicate)),
        ("the workflow and its version are those of the terms", _fits_workflow(predicate)),
        ("the first data set is that of the terms", _fits_data(predicate)),
        ("the execution id belongs to the agreement and the number", _fits_number(predicate)),
        ("the subject is the output", statement.subject == (_subject(predicate),)),
        ("the charge follows from the outcome", _fits_outcome(predicate)),
        ("an output was published if and only if it succeeded", _fits_output(predicate)),
    ]
    checked = ("the signature is valid", "the payload is canonical", *require_all(checks))
    return VerifiedReceipt(signer=signer, receipt_hash=digest, statement=statement, checked=checked)


def require_all(checks: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """Return what was checked, in words. Raises ``ReceiptInvalid`` with the first check that failed."""
    checked = []
    for check, holds in checks:
        if not holds:
            raise InsituError("ReceiptInvalid", f"this check failed: {check}")
        checked.append(check)
    return tuple(checked)


def settlement_checks(found: VerifiedReceipt, signed: SignedSettlement) -> tuple[tuple[str, bool], ...]:
    """Return the checks of a settlement that comes with a receipt: it pays for this execution, signed by the provider.

    Raises ``SignatureMismatch`` if no key can have made its signature.
    """
    predicate, settlement = found.statement.predicate, signed.settlement
    agreement = predicate.agreement
    domain = AgreementDomain(agreement.chain_id, agreement.contract)
    signer = recover_address(settlement_digest(agreement.service_agreement_id, settlement, domain), signed.signature)
    return (
        (
            "the settlement is for the same agreement",
            agreement_id(signed.terms, domain) == agreement.service_agreement_id,
        ),
        ("the settlement is for this execution", settlement.index == predicate.number),
        ("the settlement names this receipt", settlement.receipt_hash.lower() == found.receipt_hash),
        ("the settlement charges no more than the receipt", settlement.charge <= predicate.charge.amount),
        ("the provider signed the settlement", signer.lower() == found.signer.lower()),
    )


def _fits_terms(predicate: Predicate) -> bool:
    agreement = predicate.agreement
    expected = agreement_id(agreement.terms, AgreementDomain(agreement.chain_id, agreement.contract))
    return agreement.service_agreement_id == expected


def _fits_workflow(predicate: Predicate) -> bool:
    terms = predicate.agreement.terms
    stated = (predicate.workflow_did, predicate.workflow_checksum.lower())
    return stated == (str(Did.from_hex(terms.workflow_id)), terms.workflow_hash.lower().removeprefix("0x"))


def _fits_data(predicate: Predicate) -> bool:
    """Return whether the terms name the first data set that the workflow reads, in whatever version."""
    inputs = (read for stage in predicate.stages for read in stage.inputs if read.did is not None)
    first = next(inputs, None)
    return first is not None and first.did == str(Did.from_hex(predicate.agreement.terms.did))


def _fits_number(predicate: Predicate) -> bool:
    if predicate.number < 0 or predicate.number >= 2**32:
        return False
    agreement = predicate.agreement.service_agreement_id
    return predicate.workflow_execution_id == workflow_execution_id(agreement, predicate.number)


def _fits_outcome(predicate: Predicate) -> bool:
    """Return whether the charge follows from the outcome: the full price, nothing, or either if decided later."""
    rule, amount, total = predicate.charge.rule, predicate.charge.amount, _total(predicate)
    ran = any(entry.phase is Phase.EXECUTING for entry in predicate.phases)
    readable = predicate.policy.output.lets_logs_out and ran
    fitting = {charge_of(predicate.outcome, predicate.reason, delivered=delivered) for delivered in (False, readable)}
    if rule not in fitting or amount > total:
        return False
    return amount == 0 if rule is Charge.NEVER else amount in (0, total)


def _total(predicate: Predicate) -> int:
    return predicate.agreement.terms.total


def _fits_output(predicate: Predicate) -> bool:
    succeeded, output = predicate.outcome is Phase.SUCCEEDED, predicate.output
    if predicate.reason is not None and predicate.reason.code == NOTHING_DELIVERED:
        return succeeded and output is not None and output.files == 0
    return succeeded == (predicate.output is not None) and (succeeded or predicate.reason is not None)
