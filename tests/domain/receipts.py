"""Receipts that tests start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

from insitu.domain.agreement import agreement_id
from insitu.domain.dsse import Envelope, envelope_digest, seal
from insitu.domain.execution import Charge, Phase, Usage
from insitu.domain.ids import workflow_execution_id
from insitu.domain.merkle import FileDigest, files_root, output_root
from insitu.domain.plan import ImageReference, OutputRules
from insitu.domain.policy import Verdict
from insitu.domain.receipt import (
    AgreementPart,
    AlgorithmPart,
    ChargePart,
    InputPart,
    OutputPart,
    PhasePart,
    PolicyPart,
    Predicate,
    Software,
    StagePart,
    Statement,
    make_statement,
)
from tests.domain.documents import ALGORITHM, CHAIN_ID, CONTRACT, DIGEST, DOMAIN, PROVIDER, SHA256, Account, terms

BEGIN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
DATA, WORKFLOW, COUNT, RESULT = (f"did:nv:{digit * 64}" for digit in "2479")
SALT = bytes(range(32))
FILES = (FileDigest("table.csv", SHA256, 12), FileDigest("plots/a.png", SHA256, 3456))


def predicate(**changes: Any) -> Predicate:
    """What a successful execution of one stage states; keyword arguments replace members."""
    assert ALGORITHM["type"] == "algorithm"
    agreed = terms()
    agreement = agreement_id(agreed, DOMAIN)
    stage = StagePart(
        index=0,
        stage_type="Filtering",
        image=ImageReference(image="insitu/python", tag="3.11", digest=DIGEST),
        algorithm=AlgorithmPart(did=COUNT, checksum="cd" * 32, files={"0": SHA256}),
        parameters={"threshold": 0.5, "name": "x"},
        inputs=(InputPart(index=0, position=1, did=DATA, checksum="33" * 32, root=files_root([FILES[0]], SALT)),),
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
        "agreement": AgreementPart(service_agreement_id=agreement, chain_id=CHAIN_ID, contract=CONTRACT, terms=agreed),
        "workflow_execution_id": workflow_execution_id(agreement, 0),
        "number": 0,
        "workflow_did": WORKFLOW,
        "workflow_checksum": "55" * 32,
        "stages": (stage,),
        "policy": PolicyPart(
            verdict=Verdict(allowed=True), checksums={DATA: "33" * 32}, output=OutputRules(max_bytes=10**9, max_files=9)
        ),
        "phases": (PhasePart(phase=Phase.REGISTERED, at=BEGIN), PhasePart(phase=Phase.SUCCEEDED, at=BEGIN)),
        "outcome": Phase.SUCCEEDED,
        "output": OutputPart(root=output_root(FILES), files=2, bytes=3468, published_stages=(0,), result_did=RESULT),
        "charge": ChargePart(rule=Charge.FULL, amount=13),
        "software": Software(version="0.1.0", runtime="runc", enforcement={"memory": "cgroup"}),
    }
    return Predicate(**(members | changes))


def signed(stated: Predicate | Statement, signer: Account = PROVIDER) -> Envelope:
    """The envelope that the provider hands out."""
    statement = stated if isinstance(stated, Statement) else make_statement(stated)
    payload = statement.payload
    return seal(payload, signer.sign(envelope_digest(payload)), signer.address)
