"""The receipt of an execution: an in-toto statement that the provider signs and the contract commits to (E8, E10).

It says which agreement, workflow, images, algorithms and inputs (as salted roots) produced which output, what was used
under which limits and rules, what reached the consumer, and what is charged. ``receiptHash`` is the SHA-256 of its
payload. The type of its predicate says which form it has.
"""

import json
from collections.abc import Iterable
from typing import Final, Literal

from pydantic import Field, JsonValue

from insitu.domain.agreement import AgreementDomain, SignedSettlement, agreement_id, settlement_digest
from insitu.domain.canonical import canonical_json, plain_json, sha256_hex
from insitu.domain.did import Did
from insitu.domain.dsse import PAYLOAD_TYPE, Envelope, envelope_signer
from insitu.domain.errors import InsituError
from insitu.domain.execution import NOTHING_DELIVERED, Phase, Usage, charge_of
from insitu.domain.ids import Address
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.plan import Failures
from insitu.domain.receipt_parts import CommonPredicate, CommonStatement, require_all
from insitu.domain.receipt_v1 import PredicateV1, StatementV1, checks_of_v1
from insitu.domain.signatures import recover_address
from insitu.domain.wire import Time, WireModel

PREDICATE_TYPE: Final = "urn:insitu:execution-receipt:v2"
NOT_ENFORCED: Final = "none"
"""What a runtime writes beside a limit that nothing enforces."""


class BoughtInput(WireModel):
    """A data set in the version whose terms of sale apply. The hash of the list is in the terms."""

    did: str
    checksum: str


class DeliveredPart(WireModel):
    """What reached the consumer: files of the result, and captured text that could be read as log.

    ``log_lines`` is null if the log could not be counted.
    """

    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    log_bytes: int = Field(ge=0)
    log_lines: int | None = Field(default=None, ge=0)


class ApprovalPart(WireModel):
    """An owner's approval of the consumer, which the execution needed: its digest is what the owner signed."""

    did: str
    owner: Address
    digest: str
    expires_at: Time


class Predicate(CommonPredicate):
    """What a receipt states.

    If the consumer may not see logs, exit codes, usage and the sentences of reasons are left out, as everywhere the
    consumer looks, because the algorithm determines them. ``withheld`` commits to them.
    """

    revision_of: str | None = None
    """The version of the workflow in the terms, if another one ran."""
    bought: tuple[BoughtInput, ...]
    """Every data set once, in the workflow's order."""
    parameters: dict[str, dict[str, str | int | float | bool]] = Field(default_factory=dict)
    """Index of a stage → name → value, as given when the execution was started."""
    failures: Failures = "charged"
    delivered: DeliveredPart
    approvals: tuple[ApprovalPart, ...] = ()
    withheld: str | None = None
    """Salted hash of what is left out (``receipt_opening``); null if nothing is."""
    not_enforced: tuple[str, ...] = ()
    """Limits that nothing enforced."""
    inspection: None = None
    decisions: None = None
    ledger: None = None


class Statement(CommonStatement):
    """A receipt."""

    predicate_type: Literal["urn:insitu:execution-receipt:v2"] = PREDICATE_TYPE
    predicate: Predicate


class VerifiedReceipt(WireModel):
    """A valid receipt: who signed it, its hash as on chain (0x…), what it states, and what was checked."""

    signer: Address
    receipt_hash: str
    statement: Statement | StatementV1
    checked: tuple[str, ...]


def make_statement(predicate: Predicate) -> Statement:
    """Return the statement of a predicate: about the output, or about the workflow if nothing was published."""
    return Statement(subject=(predicate.subject,), predicate=predicate)


def receipt_hash(payload: bytes) -> str:
    """Return the hash that the contract commits to: 0x and the SHA-256 of the payload."""
    return "0x" + sha256_hex(payload)


def limits_not_enforced(enforcement: dict[str, str]) -> tuple[str, ...]:
    """Return the limits that a runtime reports as not enforced, sorted."""
    return tuple(sorted(limit for limit, by in enforcement.items() if by == NOT_ENFORCED))


def parse_statement(payload: bytes) -> Statement | StatementV1:
    """Read a receipt's payload.

    Raises ``ReceiptInvalid`` if it is not a receipt of a known kind, not in canonical form, or says something that
    this version cannot judge.
    """
    try:
        value: JsonValue = json.loads(payload)
        if canonical_json(plain_json(value)) != payload:
            raise InsituError("ReceiptInvalid", "the receipt is not canonical JSON")
        if isinstance(value, dict) and value.get("predicateType") == PREDICATE_TYPE:
            return Statement.model_validate(value, extra="forbid")
        return StatementV1.model_validate(value)
    except (ValueError, RecursionError):
        raise InsituError("ReceiptInvalid", "the payload is not a receipt of an execution") from None
    except InsituError as error:
        raise InsituError("ReceiptInvalid", error.detail) from None


def verify_receipt(envelope: Envelope) -> VerifiedReceipt:
    """Check a receipt offline: its signature, its form, that its parts match each other and the terms.

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
    predicate, agreement = statement.predicate, statement.predicate.agreement
    expected = agreement_id(agreement.terms, AgreementDomain(agreement.chain_id, agreement.contract))
    checks = [
        ("the provider of the agreement signed it", signer.lower() == agreement.terms.provider.lower()),
        ("the agreement id is the digest of its terms", agreement.service_agreement_id == expected),
        ("the execution id belongs to the agreement and the number", predicate.fits_number),
        ("the subject is the output", statement.subject == (predicate.subject,)),
        *(checks_of_v1(predicate) if isinstance(predicate, PredicateV1) else _checks(predicate)),
    ]
    checked = ("the signature is valid", "the payload is canonical", *require_all(checks))
    return VerifiedReceipt(signer=signer, receipt_hash=digest, statement=statement, checked=checked)


def settlement_checks(found: VerifiedReceipt, signed: SignedSettlement) -> tuple[tuple[str, bool], ...]:
    """Return the checks of a settlement that comes with a receipt: it pays for this execution, signed by the provider.

    Raises ``SignatureMismatch`` if no key can have made its signature.
    """
    predicate, settlement = found.statement.predicate, signed.settlement
    agreement = predicate.agreement
    domain = AgreementDomain(agreement.chain_id, agreement.contract)
    signer = recover_address(settlement_digest(agreement.service_agreement_id, settlement, domain), signed.signature)
    paid = agreement_id(signed.terms, domain)
    return (
        ("the settlement is for the same agreement", paid == agreement.service_agreement_id),
        ("the settlement is for this execution", settlement.index == predicate.number),
        ("the settlement names this receipt", settlement.receipt_hash.lower() == found.receipt_hash),
        ("the settlement charges no more than the receipt", settlement.charge <= predicate.charge.amount),
        ("the provider signed the settlement", signer.lower() == found.signer.lower()),
    )


def _checks(predicate: Predicate) -> Iterable[tuple[str, bool]]:
    terms, delivered = predicate.agreement.terms, predicate.delivered
    bought = [(data.did, data.checksum) for data in predicate.bought]
    heard, unlimited = delivered.log_bytes > 0, limits_not_enforced(predicate.software.enforcement)
    rule = charge_of(predicate.outcome, predicate.reason, delivered=heard, failures=predicate.failures)
    return (
        ("the workflow is that of the terms", predicate.workflow_did == str(Did.from_hex(terms.workflow_id))),
        ("the version of the workflow is that of the terms, or stated as a revision of it", _fits_version(predicate)),
        ("the versions of the data sets are those of the terms", inputs_hash(bought) == terms.inputs_hash),
        ("it read the data sets of the terms", _fits_data(predicate, str(Did.from_hex(terms.did)))),
        ("parameters were given to stages that it has", _fits_parameters(predicate)),
        ("an output was published if and only if it succeeded", _fits_output(predicate)),
        ("what was delivered is the output, and log text only as the rules allow", _fits_delivery(predicate)),
        ("the charge follows from the outcome and what was delivered", predicate.charge.rule is rule),
        ("the amount is the price of the terms, or nothing", predicate.fits_amount),
        ("what the rules hide is left out, and committed to", _hides(predicate)),
        ("it lists the limits that were not enforced", predicate.not_enforced == unlimited),
        ("it ended in the phase that it states last", _fits_phases(predicate)),
    )


def _fits_version(predicate: Predicate) -> bool:
    bought = predicate.agreement.terms.workflow_hash.lower().removeprefix("0x")
    if predicate.revision_of is None:
        return predicate.workflow_checksum == bought
    return predicate.revision_of == bought != predicate.workflow_checksum


def _fits_data(predicate: Predicate, first: str) -> bool:
    """Return whether the data sets that were read are those that were bought, in the same order."""
    read = predicate.data_sets
    return read[:1] == (first,) and read == tuple(data.did for data in predicate.bought)


def _fits_phases(predicate: Predicate) -> bool:
    return [entry.phase for entry in predicate.phases[-1:]] == [predicate.outcome]


def _fits_parameters(predicate: Predicate) -> bool:
    return set(predicate.parameters) <= {str(stage.index) for stage in predicate.stages}


def _fits_output(predicate: Predicate) -> bool:
    succeeded, reason = predicate.outcome is Phase.SUCCEEDED, predicate.reason
    if succeeded != (predicate.output is not None):
        return False
    if not succeeded:
        return reason is not None and reason.code != NOTHING_DELIVERED
    nothing = not predicate.delivered.files and not predicate.delivered.log_bytes
    return nothing == (reason is not None and reason.code == NOTHING_DELIVERED)


def _fits_delivery(predicate: Predicate) -> bool:
    delivered, output, rules = predicate.delivered, predicate.output, predicate.policy.output
    files = (output.files, output.bytes) if output is not None else (0, 0)
    ran = any(entry.phase is Phase.EXECUTING for entry in predicate.phases)
    most = rules.max_log_bytes if rules.lets_logs_out and ran else 0
    within = (most is None or delivered.log_bytes <= most) and (delivered.log_lines or 0) <= delivered.log_bytes
    return within and (delivered.files, delivered.bytes) == files


def _hides(predicate: Predicate) -> bool:
    """Return whether nothing is left out if logs are let out, and otherwise all that the algorithm determines."""
    if predicate.policy.output.lets_logs_out:
        return predicate.withheld is None
    reasons = (predicate.reason, *(stage.reason for stage in predicate.stages))
    return (
        predicate.withheld is not None
        and all(stage.exit_code is None and stage.usage in (Usage(), stage.usage.hidden) for stage in predicate.stages)
        and all(reason is None or reason == reason.hidden or reason.code == NOTHING_DELIVERED for reason in reasons)
    )
