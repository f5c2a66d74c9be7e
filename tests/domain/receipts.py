"""Receipts that tests start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from insitu.domain.agreement import Terms, agreement_id
from insitu.domain.dsse import Envelope, envelope_digest, seal
from insitu.domain.execution import Charge, Phase, Reason, Usage, charge_of
from insitu.domain.ids import workflow_execution_id
from insitu.domain.inputs_hash import inputs_hash
from insitu.domain.merkle import FileDigest, output_root
from insitu.domain.plan import ImageReference, OutputRules
from insitu.domain.policy import Verdict
from insitu.domain.receipt import BoughtInput, DeliveredPart, Predicate, Statement, make_statement
from insitu.domain.receipt_opening import OpenedFile, OpenedInput, Withheld, WithheldStage
from insitu.domain.receipt_parts import (
    AgreementPart,
    AlgorithmPart,
    ChargePart,
    InputPart,
    OutputPart,
    PhasePart,
    PolicyPart,
    Software,
    StagePart,
)
from tests.domain.documents import ALGORITHM, CHAIN_ID, CONTRACT, DIGEST, DOMAIN, PROVIDER, SHA256, Account, terms

BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
DATA, WORKFLOW, COUNT, RESULT = (f"did:nv:{digit * 64}" for digit in "2479")
SALT = bytes(range(32))
FILES = (FileDigest("table.csv", SHA256, 12), FileDigest("plots/a.png", SHA256, 3456))


def agreed(**changes: object) -> Terms:
    """Terms that buy the data set of :func:`predicate`."""
    return terms(**({"inputs_hash": inputs_hash([(DATA, "33" * 32)])} | changes))


AGREEMENT = agreement_id(agreed(), DOMAIN)
OPENED = OpenedInput(
    stage=0, position=1, did=DATA, salt=SALT.hex(), files=(OpenedFile(name="table.csv", sha256=SHA256),)
)
WITHHELD = Withheld(
    salt=SALT.hex(),
    stages=(WithheldStage(stage=0, exit_code=1, usage=Usage(wall_seconds=1.5), reason=None),),
    reason=Reason(code="AlgorithmFailed", message="it ended with exit code 1"),
)


def predicate(**changes: Any) -> Predicate:
    """What a successful execution of one stage states; keyword arguments replace members."""
    assert ALGORITHM["type"] == "algorithm"
    stage = StagePart(
        index=0,
        stage_type="Filtering",
        image=ImageReference(image="insitu/python", tag="3.11", digest=DIGEST),
        algorithm=AlgorithmPart(did=COUNT, checksum="cd" * 32, files={"0": SHA256}),
        parameters={"threshold": 0.5, "name": "x"},
        inputs=(InputPart(index=0, position=1, did=DATA, checksum="33" * 32, root=OPENED.root),),
        attempt=1,
        started_at=BEGIN + timedelta(seconds=1),
        ended_at=BEGIN + timedelta(seconds=2),
        exit_code=0,
        usage=Usage(
            cpu_seconds=0.75,
            peak_memory_bytes=12_345_678,
            wall_seconds=1.0,
            limits={"memory": "cgroup", "disk": "loop-ext4"},
            unavailable={"outputBytes": "the kernel does not attribute it"},
        ),
    )
    members: dict[str, Any] = {
        "agreement": AgreementPart(
            service_agreement_id=AGREEMENT, chain_id=CHAIN_ID, contract=CONTRACT, terms=agreed()
        ),
        "workflow_execution_id": workflow_execution_id(AGREEMENT, 0),
        "number": 0,
        "workflow_did": WORKFLOW,
        "workflow_checksum": "55" * 32,
        "stages": (stage,),
        "policy": PolicyPart(
            verdict=Verdict(allowed=True),
            checksums={DATA: "33" * 32},
            output=OutputRules(max_bytes=10**9, max_files=9, max_log_bytes=1000),
        ),
        "phases": tuple(
            PhasePart(phase=phase, at=BEGIN) for phase in (Phase.REGISTERED, Phase.EXECUTING, Phase.SUCCEEDED)
        ),
        "outcome": Phase.SUCCEEDED,
        "output": OutputPart(root=output_root(FILES), files=2, bytes=3468, published_stages=(0,), result_did=RESULT),
        "bought": (BoughtInput(did=DATA, checksum="33" * 32),),
        "delivered": DeliveredPart(files=2, bytes=3468, log_bytes=40, log_lines=2),
        "charge": ChargePart(rule=Charge.FULL, amount=13),
        "software": Software(version="0.1.0", runtime="runc", enforcement={"memory": "cgroup"}),
    }
    return Predicate(**(members | changes))


def ended(outcome: Phase, reason: Reason, log_bytes: int = 0, **changes: Any) -> Predicate:
    """What an execution states that published nothing."""
    delivered = DeliveredPart(files=0, bytes=0, log_bytes=log_bytes, log_lines=min(log_bytes, 1))
    rule = charge_of(outcome, reason, delivered=log_bytes > 0, failures=changes.get("failures", "charged"))
    amount = 13 if rule is Charge.IF_NONE_SUCCEEDS else 0
    phases = tuple(PhasePart(phase=phase, at=BEGIN) for phase in (Phase.REGISTERED, Phase.EXECUTING, outcome))
    members = {"phases": phases, "delivered": delivered, "charge": ChargePart(rule=rule, amount=amount), "output": None}
    return predicate(**({"outcome": outcome, "reason": reason} | members | changes))


def hidden(stated: Predicate) -> Predicate:
    """The same where logs are not let out, with what is withheld committed to."""
    rules = stated.policy.output.model_copy(update={"logs": "none"})
    (stage,) = stated.stages
    silent = stage.model_copy(update={"exit_code": None, "usage": stage.usage.hidden})
    return stated.model_copy(
        update={
            "policy": stated.policy.model_copy(update={"output": rules}),
            "stages": (silent,),
            "delivered": stated.delivered.model_copy(update={"log_bytes": 0, "log_lines": 0}),
            "reason": stated.reason.hidden if stated.reason is not None else None,
            "withheld": WITHHELD.digest,
        }
    )


def signed(stated: Predicate | Statement, signer: Account = PROVIDER) -> Envelope:
    """The envelope that the provider hands out."""
    statement = stated if isinstance(stated, Statement) else make_statement(stated)
    payload = statement.payload
    return seal(payload, signer.sign(envelope_digest(payload)), signer.address)
