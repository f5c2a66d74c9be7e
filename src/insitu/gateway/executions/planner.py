"""The plan of an execution: everything the operator needs, and nothing secret (E2, E3)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from insitu.domain.agreement import AgreementState, Terms
from insitu.domain.agreement_times import SETTLEMENT_LATENCY
from insitu.domain.algorithm import ENVIRONMENT, Scalar, argv
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.flavour import image_of
from insitu.domain.ids import AgreementId, workflow_execution_id
from insitu.domain.plan import (
    ExecutionPlan,
    Fetch,
    ImageReference,
    InputFile,
    StageInput,
    StagePlan,
    Transformation,
)
from insitu.domain.revisions import Parameters, configured
from insitu.domain.workflow import Stage
from insitu.gateway.agreements.assessor import AssessedAlgorithm, AssessedInput, Assessment
from insitu.gateway.files.source_opener import SourceOpener
from insitu.ports.agreement_records import Dossier, SourceReference, StoredExecution


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that only lacks its number. Calling it is pure, so it can be done inside a transaction.

    ``expected`` is the number that it was drafted for. If another execution came and went meanwhile, it is refused.
    """

    agreement_id: AgreementId
    terms: Terms
    state: AgreementState
    assessment: Assessment
    stages: tuple[StagePlan, ...]
    dossier: Dossier
    expected: int = 0
    parameters: Parameters = field(default_factory=dict)

    def __call__(self, number: int) -> tuple[ExecutionPlan, Dossier]:
        """Return the plan and the dossier of the execution with this number."""
        found = self.assessment
        if number != self.expected:
            raise InsituError("ExecutionInProgress", f"execution {number - 1} of this agreement came in between")
        if found.server is None:
            raise InsituError("NoSuitableServer")
        limits = found.server.limits()
        last_settlement = self.state.settlement_ends(self.terms)
        bought = self.terms.workflow_hash.lower().removeprefix("0x")
        plan = ExecutionPlan(
            service_agreement_id=self.agreement_id,
            workflow_execution_id=workflow_execution_id(self.agreement_id, number),
            number=number,
            consumer=self.terms.consumer,
            did=str(Did.from_hex(self.terms.did)),
            workflow_did=found.workflow_asset.did,
            workflow_checksum=found.workflow_asset.checksum,
            stages=self.stages,
            limits=limits,
            output=found.policy.output_rules(limits),
            published_stages=found.workflow.published_stages,
            start_before=self.state.execution_ends_at(self.terms),
            finish_by=datetime.fromtimestamp(last_settlement - SETTLEMENT_LATENCY, UTC),
            failures=found.policy.failures,
            revision_of=bought if bought != found.workflow_asset.checksum else None,
            parameters={stage: dict(values) for stage, values in self.parameters.items()},
        )
        return plan, self.dossier


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Turns an assessed workflow into stages."""

    source_opener: SourceOpener

    async def draft(
        self,
        agreement_id: AgreementId,
        terms: Terms,
        state: AgreementState,
        found: Assessment,
        earlier: StoredExecution | None = None,
        parameters: Parameters | None = None,
    ) -> Draft:
        """Draft the plan of an allowed workflow, to be run after ``earlier``, with allowed ``parameters``.

        Raises ``InvalidDocument``, ``ImageNotAllowed``, and what planning a list of files raises.
        """
        inputs = {entry.asset.did: entry for entry in found.inputs}
        algorithms = {algorithm.asset.did: algorithm for algorithm in found.algorithms}
        fetches: dict[str, SourceReference] = {}
        stages: list[StagePlan] = []
        for stage in found.workflow.ordered_stages:
            planned = await self._inputs(stage, inputs, fetches)
            configuration = configured(stage, parameters or {})
            stages.append(await self._stage(stage, planned, found.inputs, algorithms, fetches, configuration))
        dossier = Dossier(
            workflow=found.workflow_asset.ddo.to_json(),
            services=found.services,
            versions=found.versions,
            verdict=found.verdict,
            salt=earlier.dossier.salt if earlier is not None else secrets.token_hex(32),
            fetches=fetches,
            names=found.names,
        )
        number = earlier.plan.number + 1 if earlier is not None else 0
        return Draft(agreement_id, terms, state, found, tuple(stages), dossier, number, parameters or {})

    async def _inputs(
        self, stage: Stage, inputs: dict[str, AssessedInput], fetches: dict[str, SourceReference]
    ) -> tuple[StageInput, ...]:
        planned: list[StageInput] = []
        for position, source in enumerate(stage.ordered_inputs, start=1):
            index = source.index or 0
            if source.id is None:
                planned.append(StageInput(index=index, position=position, previous_stage=source.previous_stage))
                continue
            data = inputs[source.id]
            files = await self.source_opener.plan(data.listed, f"{stage.number}-input-{position}-")
            _note(files, data, fetches)
            planned.append(StageInput(index=index, position=position, did=source.id, files=files))
        return tuple(planned)

    async def _stage(
        self,
        stage: Stage,
        planned: tuple[StageInput, ...],
        inputs: Sequence[AssessedInput],
        algorithms: dict[str, AssessedAlgorithm],
        fetches: dict[str, SourceReference],
        configuration: dict[str, Scalar],
    ) -> StagePlan:
        algorithm = algorithms[stage.transformation.id or ""]
        files = await self.source_opener.plan(algorithm.listed, f"{stage.number}-algorithm-", folders=True)
        _note(files, algorithm, fetches)
        entrypoint = algorithm.main.algorithm.entrypoint
        return StagePlan(
            index=stage.number,
            stage_type=stage.stage_type,
            image=_image(stage, inputs),
            argv=argv(entrypoint, [file.name for file in files], len(planned), configuration),
            environment=dict(ENVIRONMENT),
            inputs=planned,
            transformation=Transformation(did=algorithm.asset.did, files=files),
            parameters=configuration,
        )


def _image(stage: Stage, inputs: Sequence[AssessedInput]) -> ImageReference:
    """Return the image as the data set's DDO names it, never as the workflow does."""
    image = image_of(stage.requirements.container, inputs[0].bought)
    if image is None:
        raise InsituError("ImageNotAllowed", f"the container of stage {stage.number} is not supported")
    return image


def _note(
    files: Sequence[InputFile], assessed: AssessedInput | AssessedAlgorithm, fetches: dict[str, SourceReference]
) -> None:
    asset, sealer = assessed.asset, assessed.listed.sealer
    for file in files:
        if isinstance(file.source, Fetch):
            reference = SourceReference(
                did=asset.did, checksum=asset.checksum, block=asset.block, index=file.index, sealer=sealer
            )
            fetches[file.source.reference] = reference
