"""Strict rules of a workflow, with a violation for each broken one."""

from insitu.domain.algorithm import MAX_CONFIGURATION, configuration_problem
from insitu.domain.checks import Checker
from insitu.domain.compute_rules import check_container
from insitu.domain.did import is_complete_did
from insitu.domain.errors import InsituError
from insitu.domain.service import sha256_of
from insitu.domain.workflow import MAX_INPUTS, MAX_STAGES, Stage, Workflow, WorkflowInput

MAX_STAGE_TYPE = 200


def validate_workflow(workflow: Workflow, pointer: str = "", *, planned: bool = False) -> None:
    """Refuse a workflow that cannot be run.

    ``pointer`` says where it is in its document. With ``planned`` a stage may lack its algorithm's DID, because the
    algorithm is not published yet. Raises ``InvalidDocument``, or the code of the one rule that is broken
    (``StageOrder``, ``TooManyStages``, ``ServerAmbiguous``, ``ServerInstancesNotSupported``,
    ``OutputDidNotSupported``), with all problems.
    """
    checker = Checker(pointer)
    check_workflow(workflow, checker, planned=planned)
    checker.raise_if_any()


def check_workflow(workflow: Workflow, checker: Checker, *, planned: bool = False) -> None:
    """Check a workflow. ``checker`` stands at it; ``planned`` is as for :func:`validate_workflow`."""
    stages = checker.at("stages")
    if not stages.require(bool(workflow.stages), "Required", "a workflow needs a stage"):
        return
    if not stages.require(len(workflow.stages) <= MAX_STAGES, "TooManyStages", f"at most {MAX_STAGES} stages"):
        return
    indices, versions = [stage.index for stage in workflow.stages], workflow.transformations
    for i, stage in enumerate(workflow.stages):
        at = stages.at(i)
        if stage.index is None:
            at.at("index").report("Required", "a stage needs an index")
        elif stage.index in indices[:i]:
            at.at("index").report("Duplicate", "two stages have this index")
        pinned = sha256_of(stage.transformation.checksum)
        at.at("transformation", "checksum").require(
            versions.get(stage.transformation.id or "") == pinned,
            "Contradiction",
            "all stages of a workflow run the same version of an algorithm",
        )
        _check_stage(stage, frozenset(index for index in indices if index is not None), at, planned=planned)
    if len(workflow.server_ids) > 1:
        stages.report("ServerAmbiguous", f"the stages name the servers {', '.join(workflow.server_ids)}"[:200])
    stages.require(bool(workflow.input_dids), "Required", "a workflow reads at least one data set")


def _check_stage(stage: Stage, indices: frozenset[int], checker: Checker, *, planned: bool) -> None:
    checker.at("stageType").require(len(stage.stage_type) <= MAX_STAGE_TYPE, "TooLong", "at most 200 characters")
    _check_requirements(stage, checker.at("requirements"))
    inputs = checker.at("input")
    inputs.require(bool(stage.input), "Required", "a stage needs an input")
    if inputs.require(len(stage.input) <= MAX_INPUTS, "TooManyStages", f"at most {MAX_INPUTS} inputs"):
        positions = [source.index for source in stage.input]
        for i, source in enumerate(stage.input):
            if inputs.at(i, "index").require(source.index is not None, "Required", "an input needs an index"):
                is_new = source.index not in positions[:i]
                inputs.at(i, "index").require(is_new, "Duplicate", "two inputs have this index")
            _check_input(source, stage.number, indices, inputs.at(i))
    checker.at("transformation", "id").require(
        (planned and stage.transformation.id is None) or is_complete_did(stage.transformation.id),
        "InvalidDid",
        "the algorithm's DID is needed: did:nv: and 64 digits",
    )
    pinned = stage.transformation.checksum
    checker.at("transformation", "checksum").require(
        pinned is None or sha256_of(pinned) is not None, "WrongFormat", "the on-chain checksum: 64 hex digits"
    )
    checker.at("output", "id").require(
        stage.output.id is None, "OutputDidNotSupported", "every result is a new asset; leave output.id out"
    )
    _check_configuration(stage, checker.at("configuration"))


def _check_input(source: WorkflowInput, stage: int, indices: frozenset[int], checker: Checker) -> None:
    if (source.id is None) == (source.previous_stage is None):
        checker.report("Required", "an input has either an id or a previousStage")
    if source.id is not None:
        checker.at("id").require(is_complete_did(source.id), "InvalidDid", "did:nv: and 64 lower-case hex digits")
    if source.previous_stage is not None:
        checker.at("previousStage").require(
            source.previous_stage < stage and source.previous_stage in indices,
            "StageOrder",
            f"stage {stage} reads stage {source.previous_stage}, which does not run before it",
        )


def _check_requirements(stage: Stage, checker: Checker) -> None:
    required = stage.requirements
    checker.at("serverInstances").require(
        required.server_instances in (None, 1), "ServerInstancesNotSupported", "a stage runs on one server instance"
    )
    if required.container is None:
        checker.at("container").report("Required", "a stage names its container")
    else:
        check_container(required.container, checker.at("container"))
    try:
        Workflow(stages=(stage,)).need  # noqa: B018, it may raise
    except InsituError as error:
        checker.report("InvalidQuantity", error.detail)


def _check_configuration(stage: Stage, checker: Checker) -> None:
    if not checker.require(
        len(stage.configuration) <= MAX_CONFIGURATION, "TooMany", f"at most {MAX_CONFIGURATION} members"
    ):
        return
    for name, value in stage.configuration.items():
        problem = configuration_problem(name, value)
        if problem:
            checker.at(name[:80]).report("WrongValue", problem)
