"""Plans of executions as a gateway writes them, for tests of what carries them out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from insitu.domain.ids import Address, AgreementId, workflow_execution_id
from insitu.domain.plan import (
    ExecutionPlan,
    Fetch,
    ImageReference,
    InputFile,
    Limits,
    OutputRules,
    StageInput,
    StagePlan,
    Transformation,
)
from tests.doubles.clock import START

__all__ = ["AGREEMENT", "DATA", "IMAGE", "LIMITS", "RULES", "plan_of", "stage_of"]

AGREEMENT = AgreementId("a9" * 32)
DATA = "did:nv:" + "d1" * 32
IMAGE = ImageReference(image="insitu/python", tag="3.11", digest="sha256:" + "17" * 32)
LIMITS = Limits(
    server_id="small",
    cpu_millis=500,
    memory_bytes=256 * 1024 * 1024,
    disk_bytes=64 * 1024 * 1024,
    max_execution_seconds=3600,
)
RULES = OutputRules(max_bytes=32 * 1024 * 1024, max_files=100)


def stage_of(index: int, *, previous: int | None = None, inputs: Sequence[StageInput] | None = None) -> StagePlan:
    """Return a stage that reads one fetched data set, or the output of an earlier stage, unless ``inputs`` say else."""
    if inputs is None:
        file = InputFile(index=0, name="data.csv", source=Fetch(reference=f"{index}-1-0"))
        source = StageInput(index=0, position=1, did=DATA, files=(file,))
        follower = StageInput(index=0, position=1, previous_stage=previous)
        inputs = (source if previous is None else follower,)
    algorithm = InputFile(index=0, name="count.py", source=Fetch(reference=f"{index}-0-0"), sha256="ab" * 32)
    volumes = tuple(f"--input{each.position}=/mnt/volume{each.position}" for each in inputs)
    return StagePlan(
        index=index,
        stage_type="Filtering",
        image=IMAGE,
        argv=("python", "count.py", *volumes, "--output=/mnt/output", "--logs=/mnt/logs"),
        inputs=tuple(inputs),
        transformation=Transformation(did="did:nv:" + "a1" * 32, files=(algorithm,)),
    )


def plan_of(
    *stages: StagePlan,
    agreement: AgreementId = AGREEMENT,
    number: int = 0,
    limits: Limits = LIMITS,
    output: OutputRules = RULES,
    now: datetime = START,
) -> ExecutionPlan:
    """Return the plan of an execution of ``stages`` (one, if none are given) that may start within a day of ``now``."""
    ordered = stages or (stage_of(0),)
    read = {each.previous_stage for stage in ordered for each in stage.inputs}
    return ExecutionPlan(
        service_agreement_id=agreement,
        workflow_execution_id=workflow_execution_id(agreement, number),
        number=number,
        consumer=Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        did=DATA,
        workflow_did="did:nv:" + "f1" * 32,
        workflow_checksum="f2" * 32,
        stages=ordered,
        limits=limits,
        output=output,
        published_stages=tuple(stage.index for stage in ordered if stage.index not in read),
        start_before=now + timedelta(days=1),
        finish_by=now + timedelta(days=2),
    )
