"""What receipts of every form are made of (E8). The forms are ``receipt.py`` (v2) and ``receipt_v1.py``."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from insitu.domain.agreement import Terms
from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.execution import Charge, Phase, Reason, Usage
from insitu.domain.ids import AgreementId, ExecutionId, workflow_execution_id
from insitu.domain.plan import ImageReference, OutputRules
from insitu.domain.policy import Verdict
from insitu.domain.wire import Account, Amount, Time, WireModel

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"


class AgreementPart(WireModel):
    """The whole agreement: its id is the EIP-712 digest of these terms in this domain, so anybody can check it."""

    service_agreement_id: AgreementId
    chain_id: Annotated[int, Field(ge=0, lt=2**256)]
    contract: Account
    terms: Terms


class InputPart(WireModel):
    """An input of a stage: the version of a data set and the salted root of its files, or an earlier stage's output."""

    index: int
    position: int
    did: str | None = None
    checksum: str | None = None
    """On-chain checksum of the data set's DDO at exec."""
    root: str | None = None
    """``merkle.files_root`` with a salt of the provider over the files that were mounted."""
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


class CommonPredicate(WireModel):
    """What every form of receipt states. ``number`` counts the executions of the agreement from 0."""

    agreement: AgreementPart
    workflow_execution_id: ExecutionId
    number: int
    workflow_did: str
    workflow_checksum: str
    """The version of the workflow that ran."""
    stages: tuple[StagePart, ...]
    policy: PolicyPart
    phases: tuple[PhasePart, ...]
    outcome: Literal[Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED]
    reason: Reason | None = None
    output: OutputPart | None = None
    charge: ChargePart
    software: Software

    @property
    def data_sets(self) -> tuple[str, ...]:
        """The DIDs of the data sets that were read, each once, in the workflow's order."""
        return tuple(dict.fromkeys(read.did for stage in self.stages for read in stage.inputs if read.did is not None))

    @property
    def subject(self) -> "Subject":
        """What the statement is about: the output, or the workflow if nothing was published."""
        if self.output is not None:
            return Subject(name=self.output.result_did, digest={"sha256": self.output.root})
        return Subject(name=self.workflow_did, digest={"sha3_256": self.workflow_checksum})

    @property
    def fits_number(self) -> bool:
        """Whether the execution's id belongs to the agreement and the number."""
        agreement = self.agreement.service_agreement_id
        valid = 0 <= self.number < 2**32
        return valid and self.workflow_execution_id == workflow_execution_id(agreement, self.number)

    @property
    def fits_amount(self) -> bool:
        """Whether the amount follows from the rule: nothing, or the full price unless another execution paid it."""
        total = self.agreement.terms.total
        return self.charge.amount in ((0,) if self.charge.rule is Charge.NEVER else (0, total))


class Subject(WireModel):
    """What a statement is about."""

    name: str
    digest: dict[str, str]


class CommonStatement(WireModel):
    """An in-toto statement (v1) about an execution."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...]

    @property
    def payload(self) -> bytes:
        """The bytes that are signed and hashed: the canonical JSON of the statement."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def require_all(checks: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """Return what was checked, in words. Raises ``ReceiptInvalid`` with the first check that failed."""
    checked = []
    for check, holds in checks:
        if not holds:
            raise InsituError("ReceiptInvalid", f"this check failed: {check}")
        checked.append(check)
    return tuple(checked)
