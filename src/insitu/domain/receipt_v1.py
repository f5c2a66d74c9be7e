"""The first form of receipt (``urn:insitu:execution-receipt:v1``). None is made any more; all keep being verified."""

from collections.abc import Iterable
from typing import Literal

from insitu.domain.agreement import TermsV1
from insitu.domain.did import Did
from insitu.domain.execution import NOTHING_DELIVERED, Phase, charge_of
from insitu.domain.receipt_parts import AgreementPart, CommonPredicate, CommonStatement


class AgreementPartV1(AgreementPart):
    """The agreement with terms that name the version of the first input only."""

    terms: TermsV1


class PredicateV1(CommonPredicate):
    """What a receipt of the first form states."""

    agreement: AgreementPartV1


class StatementV1(CommonStatement):
    """A receipt of the first form."""

    predicate_type: Literal["urn:insitu:execution-receipt:v1"]
    predicate: PredicateV1


def checks_of_v1(predicate: PredicateV1) -> Iterable[tuple[str, bool]]:
    """Return what is checked of this form only. It does not say what was delivered, so either charge may follow."""
    terms, reason = predicate.agreement.terms, predicate.reason
    stated = (predicate.workflow_did, predicate.workflow_checksum.lower())
    bought = (str(Did.from_hex(terms.workflow_id)), terms.workflow_hash.lower().removeprefix("0x"))
    ran = any(entry.phase is Phase.EXECUTING for entry in predicate.phases)
    readable = predicate.policy.output.lets_logs_out and ran
    fitting = {charge_of(predicate.outcome, reason, delivered=delivered) for delivered in (False, readable)}
    succeeded, output = predicate.outcome is Phase.SUCCEEDED, predicate.output
    nothing = reason is not None and reason.code == NOTHING_DELIVERED
    published = succeeded == (output is not None) and (succeeded or reason is not None)
    published = published and (not nothing or (output is not None and output.files == 0))
    return (
        ("the workflow and its version are those of the terms", stated == bought),
        ("the first data set is that of the terms", predicate.data_sets[:1] == (str(Did.from_hex(terms.did)),)),
        ("the charge follows from the outcome", predicate.charge.rule in fitting and predicate.fits_amount),
        ("an output was published if and only if it succeeded", published),
    )
