"""The receipt of an execution, made from plan, dossier and report and signed with the provider's key (E8).

There is one receipt and the chain commits to it, so it says no more than the consumer may know. The provider and the
owners see the rest in their views.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from insitu.domain.agreement import Terms
from insitu.domain.dsse import envelope_digest, seal
from insitu.domain.execution import Phase, Reason, StageRecord, Transition
from insitu.domain.merkle import FileDigest, files_root
from insitu.domain.plan import StageInput, StagePlan
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
    make_statement,
    receipt_hash,
)
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.asset_maker import root_of
from insitu.gateway.results.conclusion import Conclusion
from insitu.ports.agreement_records import FrozenResult, StoredExecution

__all__ = ["ReceiptMaker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMaker:
    """Makes and signs receipts. The same facts give the same bytes."""

    ports: GatewayPorts

    def make(
        self, execution: StoredExecution, terms: Terms, conclusion: Conclusion, charge: ChargePart
    ) -> tuple[str, dict[str, JsonValue]]:
        """Return the receipt's hash (0x…) and its DSSE envelope as JSON."""
        plan, dossier, domain = execution.plan, execution.dossier, self.ports.chain.agreements
        outcome = conclusion.outcome
        predicate = Predicate(
            agreement=AgreementPart(
                service_agreement_id=plan.service_agreement_id,
                chain_id=domain.chain_id,
                contract=domain.contract,
                terms=terms,
            ),
            workflow_execution_id=plan.workflow_execution_id,
            number=plan.number,
            workflow_did=plan.workflow_did,
            workflow_checksum=plan.workflow_checksum,
            stages=tuple(self._stage(execution, stage, conclusion.records) for stage in plan.stages),
            policy=PolicyPart(
                verdict=dossier.verdict,
                checksums={did: dossier.versions[did] for did in dossier.services if did in dossier.versions},
                output=plan.output,
            ),
            phases=tuple(PhasePart(phase=passed.phase, at=passed.at) for passed in (*conclusion.history, outcome)),
            outcome=_final(outcome.phase),
            reason=_reason(outcome, told=plan.output.lets_logs_out),
            output=_output(conclusion.result, plan.published_stages),
            charge=charge,
            software=Software(
                version=self.ports.configuration.version,
                runtime=conclusion.runtime,
                enforcement=dict(conclusion.enforcement),
            ),
        )
        payload = make_statement(predicate).payload
        signature = self.ports.signer.sign_digest(envelope_digest(payload))
        envelope = seal(payload, signature, self.ports.provider)
        return receipt_hash(payload), envelope.model_dump(mode="json", by_alias=True)

    def _stage(self, execution: StoredExecution, stage: StagePlan, records: Sequence[StageRecord]) -> StagePart:
        versions = execution.dossier.versions
        record = next((record for record in reversed(records) if record.stage == stage.index), None)
        algorithm = stage.transformation
        part = StagePart(
            index=stage.index,
            stage_type=stage.stage_type,
            image=stage.image,
            algorithm=AlgorithmPart(
                did=algorithm.did,
                checksum=versions.get(algorithm.did, ""),
                files={str(file.index): file.sha256 for file in algorithm.files if file.sha256 is not None},
            ),
            parameters=stage.parameters,
            inputs=tuple(_input(planned, record, execution) for planned in stage.inputs),
            attempt=record.attempt if record is not None else 0,
        )
        if record is None:
            return part
        told = execution.plan.output.lets_logs_out
        return part.model_copy(
            update={
                "started_at": record.started_at,
                "ended_at": record.ended_at,
                "exit_code": record.exit_code if told else None,
                "usage": record.usage if told else record.usage.hidden,
                "reason": record.reason if told or record.reason is None else record.reason.hidden,
            }
        )


def _input(planned: StageInput, record: StageRecord | None, execution: StoredExecution) -> InputPart:
    return InputPart(
        index=planned.index,
        position=planned.position,
        did=planned.did,
        checksum=execution.dossier.versions.get(planned.did) if planned.did is not None else None,
        root=_root(planned, record, bytes.fromhex(execution.dossier.salt)) if planned.did is not None else None,
        previous_stage=planned.previous_stage,
    )


def _root(planned: StageInput, record: StageRecord | None, salt: bytes) -> str | None:
    """Return the salted root over the files' digests, from the document or from the Configuration Pod.

    A folder mounted in place has no digest. Then there is no root, rather than one that proves nothing.
    """
    found = _found(record, planned.position)
    digests = [
        FileDigest(file.name, file.sha256 or found.get(file.index, ""), file.size or 0) for file in planned.files
    ]
    if not digests or not all(digest.sha256 for digest in digests):
        return None
    return files_root(digests, salt)


def _found(record: StageRecord | None, position: int) -> dict[int, str]:
    """Return the digests in ``{"inputs": {"<position>": {"<file index>": sha256}}}`` of the Configuration Pod."""
    inputs = record.configured.get("inputs") if record is not None else None
    files = inputs.get(str(position)) if isinstance(inputs, dict) else None
    if not isinstance(files, dict):
        return {}
    return {int(index): digest for index, digest in files.items() if index.isdigit() and isinstance(digest, str)}


def _output(result: FrozenResult | None, stages: tuple[int, ...]) -> OutputPart | None:
    if result is None:
        return None
    return OutputPart(
        root=root_of(result.files),
        files=len(result.files),
        bytes=sum(file.size for file in result.files),
        published_stages=stages,
        result_did=result.did,
    )


def _reason(outcome: Transition, *, told: bool) -> Reason | None:
    if outcome.phase is Phase.SUCCEEDED:
        return outcome.reason
    reason = outcome.reason or Reason(code="InfrastructureFailed", message="no reason was given")
    return reason if told else reason.hidden


def _final(phase: Phase) -> Literal[Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED]:
    if phase is Phase.SUCCEEDED or phase is Phase.STOPPED:
        return phase
    assert phase is Phase.FAILED
    return phase
