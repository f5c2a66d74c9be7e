"""The operator's own check of a registration before anything is stored (E4): plan, flavour, rules.

The gateway has authorised it. This check needs only the documents in the request, so a mistake of the gateway does not
become a container.
"""

from collections.abc import Sequence

from insitu.domain.checks import Checker
from insitu.domain.compute_service import ComputeService, Container
from insitu.domain.ddo import read_ddo
from insitu.domain.effective_policy import effective_policy
from insitu.domain.errors import InsituError
from insitu.domain.file_names import first_collision, path_problem
from insitu.domain.file_types import common_types
from insitu.domain.flavour import OfferedService, flavour_refusals, supported_container
from insitu.domain.ids import workflow_execution_id
from insitu.domain.plan import ExecutionPlan, InputFile, Limits, OutputRules, StagePlan
from insitu.domain.policy import Verdict
from insitu.domain.workflow import MAX_INPUTS, MAX_STAGES, Workflow, read_workflow
from insitu.ports.peers import Registration

_LOGS = ("live", "after_review", "none")
"""From open to strict."""

_LIMITS = ("cpu_millis", "memory_bytes", "disk_bytes", "gpu", "max_execution_seconds")


def check_registration(registration: Registration) -> None:
    """Refuse a registration whose plan is broken, or differs from what workflow and services allow.

    Raises ``InvalidDocument`` with all problems of the plan; ``ImageNotAllowed``; ``NoSuitableServer``.
    """
    plan = registration.plan
    problems = Checker("/plan")
    _check_ids(plan, problems)
    _check_stages(plan.stages, problems.at("stages"))
    problems.raise_if_any()
    ddo = read_ddo(registration.workflow)
    workflow = read_workflow(ddo)
    problems.at("workflowDid").require(plan.workflow_did == ddo.id, "Mismatch", "this is a different workflow")
    _check_against_workflow(plan, workflow, problems)
    problems.raise_if_any()
    offers = _offers(registration, workflow)
    Verdict.of(flavour_refusals(workflow, offers)).require()
    for offer in offers:
        _check_images(plan.stages, offer)
        _check_server(plan.limits, offer)
    policy = effective_policy([(offer.did, offer.service.policy) for offer in offers])
    _check_output(plan, policy.output_rules(plan.limits), problems.at("output"))
    problems.raise_if_any()


def _check_ids(plan: ExecutionPlan, problems: Checker) -> None:
    expected = workflow_execution_id(plan.service_agreement_id, plan.number) if plan.number >= 0 else None
    named = problems.at("workflowExecutionId")
    named.require(plan.workflow_execution_id == expected, "Mismatch", "the id does not belong to agreement and number")
    read = {item.previous_stage for stage in plan.stages for item in stage.inputs}
    unread = tuple(stage.index for stage in plan.stages if stage.index not in read)
    published = problems.at("publishedStages")
    published.require(plan.published_stages == unread, "Mismatch", "a published stage is read, or an unread one is not")
    limits = plan.limits
    for name in ("cpu_millis", "memory_bytes", "disk_bytes", "pids", "log_bytes", "max_execution_seconds"):
        problems.at("limits").require(getattr(limits, name) > 0, "OutOfRange", f"{name} must be greater than 0")


def _check_stages(stages: Sequence[StagePlan], problems: Checker) -> None:
    problems.require(0 < len(stages) <= MAX_STAGES, "OutOfRange", f"a plan has 1 to {MAX_STAGES} stages")
    earlier: set[int] = set()
    for at, stage in enumerate(stages):
        here = problems.at(at)
        here.require(not earlier or stage.index > max(earlier), "StageOrder", "stages must be ordered by index")
        here.at("argv").require(bool(stage.argv), "Required", "a stage needs a command")
        _check_inputs(stage, earlier, here.at("inputs"))
        files = stage.transformation.files
        here.at("transformation").require(bool(files), "Required", "an algorithm needs a file")
        _check_paths(files, here.at("transformation", "files"))
        for file in files:
            here.at("transformation").require(file.sha256 is not None, "Required", f"file {file.index} has no checksum")
        earlier.add(stage.index)


def _check_inputs(stage: StagePlan, earlier: set[int], problems: Checker) -> None:
    problems.require(0 < len(stage.inputs) <= MAX_INPUTS, "OutOfRange", f"a stage has 1 to {MAX_INPUTS} inputs")
    positions = [item.position for item in stage.inputs]
    problems.require(positions == list(range(1, len(positions) + 1)), "OutOfRange", "positions count from 1")
    for at, item in enumerate(stage.inputs):
        here = problems.at(at)
        if item.previous_stage is not None:
            here.require(item.previous_stage in earlier, "StageOrder", "that stage does not run earlier")
            here.require(item.did is None and not item.files, "Mismatch", "an input is a data set or a stage, not both")
        else:
            here.require(item.did is not None and bool(item.files), "Required", "a data set needs a DID and files")
            _check_files(item.files, here.at("files"))


def _check_files(files: Sequence[InputFile], problems: Checker) -> None:
    names = [file.name for file in files]
    problems.require(len(set(names)) == len(names), "Duplicate", "two files have the same name")
    for name in names:
        unsafe = "/" in name or "\0" in name or name in (".", "..") or (name == "" and len(names) > 1)
        problems.require(not unsafe, "WrongFormat", "a file name must be a single path component")


def _check_paths(files: Sequence[InputFile], problems: Checker) -> None:
    names = [file.name for file in files]
    problems.require(first_collision(names) is None, "Duplicate", "two files have the same path")
    for name in names:
        problem = path_problem(name)
        problems.require(problem is None, "WrongFormat", f"a file's path {problem}")


def _check_against_workflow(plan: ExecutionPlan, workflow: Workflow, problems: Checker) -> None:
    wanted = workflow.ordered_stages
    indices = tuple(stage.number for stage in wanted)
    if not problems.at("stages").require(
        indices == tuple(stage.index for stage in plan.stages), "Mismatch", f"the workflow has the stages {indices}"
    ):
        return
    for at, (stage, planned) in enumerate(zip(wanted, plan.stages, strict=True)):
        sources = [(item.id, item.previous_stage) for item in stage.ordered_inputs]
        given = [(item.did, item.previous_stage) for item in planned.inputs]
        here = problems.at("stages", at)
        here.at("inputs").require(sources == given, "Mismatch", "the inputs differ from those of the workflow's stage")
        algorithm = planned.transformation.did
        here.at("transformation").require(stage.transformation.id == algorithm, "Mismatch", "this is another algorithm")


def _offers(registration: Registration, workflow: Workflow) -> tuple[OfferedService, ...]:
    missing = [did for did in workflow.input_dids if did not in registration.services]
    if missing:
        raise InsituError("InvalidRequest", f"the compute service of {missing[0]} is missing", pointer="/services")
    return tuple(
        OfferedService(did, ComputeService.read(registration.services[did], f"/services/{did}"))
        for did in workflow.input_dids
    )


def _check_images(stages: Sequence[StagePlan], offer: OfferedService) -> None:
    for stage in stages:
        image = stage.image
        digests = (image.index_digest, image.digest)
        named = (Container(image=image.image, tag=image.tag, checksum=digest) for digest in digests if digest)
        if not any(supported_container(container, offer.service) for container in named):
            message = f"{offer.did} does not support the image {image.image}@{image.digest} of stage {stage.index}"
            raise InsituError("ImageNotAllowed", message, did=offer.did)


def _check_server(limits: Limits, offer: OfferedService) -> None:
    server = next((offered for offered in offer.service.servers if offered.server_id == limits.server_id), None)
    if server is None:
        raise InsituError("NoSuitableServer", f"{offer.did} offers no server {limits.server_id[:80]!r}")
    offered = server.limits()
    larger = [name for name in _LIMITS if getattr(limits, name) > getattr(offered, name)]
    if larger:
        raise InsituError("NoSuitableServer", f"server {limits.server_id} of {offer.did} has less {', '.join(larger)}")


def _check_output(plan: ExecutionPlan, allowed: OutputRules, problems: Checker) -> None:
    planned, logs = plan.output, allowed.max_log_bytes
    problems.require(planned.max_bytes <= allowed.max_bytes, "Mismatch", "more bytes than an owner allows")
    problems.require(planned.max_files <= allowed.max_files, "Mismatch", "more files than an owner allows")
    problems.require(logs is None or plan.log_budget <= logs, "Mismatch", "more log text than an owner allows")
    if allowed.types is not None:
        narrow = planned.types is not None and set(common_types(planned.types, allowed.types)) == set(planned.types)
        problems.at("types").require(narrow, "Mismatch", "other types than an owner allows")
    strict = _LOGS.index(planned.logs) >= _LOGS.index(allowed.logs)
    problems.at("logs").require(strict, "Mismatch", "the logs are more open than an owner allows")
    problems.at("review").require(
        planned.review == "none", "ManualReviewNotSupported", "manual review is not supported"
    )
