"""The receipt of an execution, made from plan, dossier and report and signed with the provider's key (E8).

There is one receipt and the chain commits to it, so it says no more than the consumer may know. The provider and the
owners see the rest in their views.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from insitu.domain import receipt_parts as parts
from insitu.domain.dsse import envelope_digest, seal
from insitu.domain.execution import Phase, Reason, StageRecord, Transition
from insitu.domain.plan import StageInput, StagePlan
from insitu.domain.receipt import (
    BoughtInput,
    DeliveredPart,
    Predicate,
    limits_not_enforced,
    make_statement,
    receipt_hash,
)
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.asset_maker import root_of
from insitu.gateway.results.conclusion import Conclusion
from insitu.gateway.results.receipt_opener import last_record, opened_inputs, withheld_details
from insitu.ports.agreement_records import FrozenResult, KnownAgreement, StoredExecution


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptMaker:
    """Makes and signs receipts. The same facts give the same bytes."""

    ports: GatewayPorts

    def make(
        self, execution: StoredExecution, known: KnownAgreement, conclusion: Conclusion, charge: parts.ChargePart
    ) -> tuple[str, dict[str, JsonValue]]:
        """Return the receipt's hash (0x…) and its DSSE envelope as JSON."""
        payload = make_statement(self._predicate(execution, known, conclusion, charge)).payload
        signature = self.ports.signer.sign_digest(envelope_digest(payload))
        envelope = seal(payload, signature, self.ports.provider)
        return receipt_hash(payload), envelope.model_dump(mode="json", by_alias=True)

    def _predicate(
        self, execution: StoredExecution, known: KnownAgreement, conclusion: Conclusion, charge: parts.ChargePart
    ) -> Predicate:
        plan, dossier, domain = execution.plan, execution.dossier, self.ports.chain.agreements
        outcome, told = conclusion.outcome, plan.output.lets_logs_out
        inputs = opened_inputs(execution, conclusion.records)
        roots = {(opened.stage, opened.position): opened.root for opened in inputs}
        enforcement = dict(conclusion.enforcement)
        return Predicate(
            agreement=parts.AgreementPart(
                service_agreement_id=plan.service_agreement_id,
                chain_id=domain.chain_id,
                contract=domain.contract,
                terms=known.terms,
            ),
            workflow_execution_id=plan.workflow_execution_id,
            number=plan.number,
            workflow_did=plan.workflow_did,
            workflow_checksum=plan.workflow_checksum,
            revision_of=plan.revision_of,
            bought=_bought_inputs(execution, known),
            parameters=plan.parameters,
            stages=tuple(_stage(execution, stage, conclusion.records, roots) for stage in plan.stages),
            policy=parts.PolicyPart(
                verdict=dossier.verdict,
                checksums={did: dossier.versions[did] for did in dossier.services if did in dossier.versions},
                output=plan.output,
            ),
            phases=tuple(
                parts.PhasePart(phase=passed.phase, at=passed.at) for passed in (*conclusion.history, outcome)
            ),
            outcome=_final(outcome.phase),
            reason=_reason(outcome, told=told),
            output=_output(conclusion.result, plan.published_stages),
            delivered=_delivered(conclusion),
            failures=plan.failures,
            charge=charge,
            withheld=None if told else withheld_details(execution, conclusion.records, outcome).digest,
            not_enforced=limits_not_enforced(enforcement),
            software=parts.Software(
                version=self.ports.configuration.version, runtime=conclusion.runtime, enforcement=enforcement
            ),
        )


def _stage(
    execution: StoredExecution, stage: StagePlan, records: Sequence[StageRecord], roots: Mapping[tuple[int, int], str]
) -> parts.StagePart:
    versions, record, algorithm = execution.dossier.versions, last_record(records, stage.index), stage.transformation
    part = parts.StagePart(
        index=stage.index,
        stage_type=stage.stage_type,
        image=stage.image,
        algorithm=parts.AlgorithmPart(
            did=algorithm.did,
            checksum=versions.get(algorithm.did, ""),
            files={str(file.index): file.sha256 for file in algorithm.files if file.sha256 is not None},
        ),
        parameters=stage.parameters,
        inputs=tuple(_input(read, versions, roots.get((stage.index, read.position))) for read in stage.inputs),
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


def _bought_inputs(execution: StoredExecution, known: KnownAgreement) -> tuple[BoughtInput, ...]:
    """Return the versions that were bought. Where the grant did not note any, they are those of the time of exec."""
    versions = {**execution.dossier.versions, **known.versions}
    read = (source.did for stage in execution.plan.stages for source in stage.inputs if source.did is not None)
    return tuple(BoughtInput(did=did, checksum=versions[did]) for did in dict.fromkeys(read))


def _delivered(conclusion: Conclusion) -> DeliveredPart:
    files = conclusion.result.files if conclusion.result is not None else ()
    size = sum(file.size for file in files)
    return DeliveredPart(files=len(files), bytes=size, log_bytes=conclusion.released, log_lines=conclusion.lines)


def _input(planned: StageInput, versions: Mapping[str, str], root: str | None) -> parts.InputPart:
    return parts.InputPart(
        index=planned.index,
        position=planned.position,
        did=planned.did,
        checksum=versions.get(planned.did) if planned.did is not None else None,
        root=root,
        previous_stage=planned.previous_stage,
    )


def _output(result: FrozenResult | None, stages: tuple[int, ...]) -> parts.OutputPart | None:
    if result is None:
        return None
    return parts.OutputPart(
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
