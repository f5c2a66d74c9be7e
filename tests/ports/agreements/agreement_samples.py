"""Values that the contract suite of the gateway's memory stores."""

from datetime import datetime, timedelta

from insitu.domain.agreement import Terms
from insitu.domain.execution import Charge, Phase, Reason, Transition
from insitu.domain.ids import Address, AgreementId
from insitu.domain.plan import ExecutionPlan
from insitu.domain.policy import Verdict
from insitu.ports.agreement_records import (
    Dossier,
    Frozen,
    FrozenFile,
    FrozenResult,
    ItemKind,
    OutboxItem,
    SourceReference,
    StoredTransaction,
)
from insitu.ports.agreements import Agreements
from tests.doubles.clock import START
from tests.doubles.plans import AGREEMENT, DATA, plan_of

CONSUMER = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
PROVIDER = Address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
OTHER = AgreementId("0b" * 32)


def terms_of(*, seed: str = "01", total: int = 13, timeout: int = 86400) -> Terms:
    return Terms(
        seed="0x" + seed * 32,
        did="0x" + "d1" * 32,
        inputs_hash="0x" + "d2" * 32,
        workflow_id="0x" + "f1" * 32,
        workflow_hash="0x" + "f2" * 32,
        consumer=CONSUMER,
        provider=PROVIDER,
        service_index=4,
        deadline=2_000_000_000,
        grant_timeout=600,
        timeout=timeout,
        settle_timeout=4200,
        amounts=(total,) if total else (),
        receivers=(PROVIDER,) if total else (),
    )


def dossier() -> Dossier:
    return Dossier(
        workflow={"id": "did:nv:" + "f1" * 32, "name": "naïve"},
        services={DATA: {"price": "10"}},
        versions={DATA: "d2" * 32},
        verdict=Verdict(allowed=True),
        salt="5a" * 32,
        fetches={"0-input-1-0": SourceReference(did=DATA, checksum="d2" * 32, index=0)},
    )


def draft_of(agreement: AgreementId = AGREEMENT):
    def draft(number: int) -> tuple[ExecutionPlan, Dossier]:
        return plan_of(agreement=agreement, number=number), dossier()

    return draft


async def started(agreements: Agreements, agreement: AgreementId = AGREEMENT, at: datetime = START):
    execution, _ = await agreements.start(agreement, at, 100, draft_of(agreement))
    return execution


def transition(sequence: int, phase: Phase = Phase.CONFIGURING, code: str | None = None) -> Transition:
    reason = Reason(code=code, message="said so") if code is not None else None
    return Transition(sequence=sequence, phase=phase, at=START + timedelta(seconds=sequence), reason=reason)


def frozen_of(*contents: str, phase: Phase = Phase.SUCCEEDED, receipt: str = "0x" + "ee" * 32) -> Frozen:
    files = tuple(
        FrozenFile(index=i, path=f"{digest[:4]}.txt", content_type="text/plain", size=3, sha256=digest)
        for i, digest in enumerate(contents)
    )
    result = FrozenResult(
        did="did:nv:" + "77" * 32, document={"id": "x"}, seed="01" * 32, checksum="02" * 32, url="u/{did}", files=files
    )
    code = None if phase is Phase.SUCCEEDED else "AlgorithmFailed"
    return Frozen(
        outcome=transition(9, phase, code),
        records=(),
        rule=Charge.FULL,
        receipt_hash=receipt,
        envelope={"payload": "x"},
        result=result if phase is Phase.SUCCEEDED else None,
        expires_at=START + timedelta(days=30),
    )


def item(key: str, *, after: str | None = None, due: datetime = START, batch: bool = False) -> OutboxItem:
    return OutboxItem(key, ItemKind.SETTLE, AGREEMENT, due, payload={"index": 0}, after=after, batch=batch)


def sent(nonce: int, *keys: str) -> StoredTransaction:
    return StoredTransaction("0x" + f"{nonce:064x}", b"raw" + bytes([nonce]), nonce, START, tuple(keys))
