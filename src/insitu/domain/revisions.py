"""Another version of a bought workflow that buys nothing else, and parameters of one execution (ADR 0124)."""

from collections.abc import Collection, Mapping, Sequence

from insitu.domain.algorithm import Scalar, configuration_problem
from insitu.domain.canonical import canonical_json
from insitu.domain.errors import InsituError
from insitu.domain.flavour import OfferedService, choose_server
from insitu.domain.workflow import Stage, Workflow

MAX_PARAMETER_BYTES = 4096

Parameters = Mapping[str, Mapping[str, Scalar]]
"""Index of a stage as text → name → value."""


def require_same_purchase(bought: Workflow, revised: Workflow, offers: Sequence[OfferedService]) -> None:
    """Refuse a revision that would use something else than what was bought.

    Equal are the input DIDs in their order, what each stage reads, and the server that is chosen from the bought
    services ``offers``. Algorithms, images, requirements that choose the same server, and configuration may change.

    Raises ``RevisionChangesPurchase`` with a pointer into the document's ``main``; ``NoSuitableServer``.
    """
    missing = {stage.number: stage for stage in bought.stages}
    for position, stage in enumerate(revised.stages):
        pointer, was = f"/workflow/stages/{position}", missing.pop(stage.number, None)
        if was is None:
            raise _refusal(f"stage {stage.number} was not bought", pointer)
        if _reads(stage) != _reads(was):
            raise _refusal(f"stage {stage.number} reads something else than the bought version", pointer + "/input")
    if missing:
        raise _refusal(f"stage {min(missing)} is missing", "/workflow/stages")
    if revised.input_dids != bought.input_dids:
        raise _refusal("the data sets are read in another order", "/workflow/stages")
    wanted, paid = choose_server(revised, offers).server_id, choose_server(bought, offers).server_id
    if wanted != paid:
        raise _refusal(f"it needs the server {wanted}, and {paid} was bought", "/workflow/stages")


def require_parameters(workflow: Workflow, given: Parameters, allowed: Collection[str]) -> None:
    """Refuse parameters that a data owner does not allow or that cannot be passed to the algorithm.

    Raises ``InvalidRequest`` with a pointer into the request; ``ParameterNotAllowed`` for a name that is not in
    ``allowed``.
    """
    stages = {str(stage.number) for stage in workflow.stages}
    for stage, values in given.items():
        if stage not in stages:
            raise InsituError("InvalidRequest", f"the workflow has no stage {stage[:20]!a}", pointer="/parameters")
        for name, value in values.items():
            problem = configuration_problem(name, value)
            if problem is not None:
                raise InsituError("InvalidRequest", problem, pointer=f"/parameters/{stage}")
            if name not in allowed:
                names = ", ".join(sorted(allowed)) or "none"
                detail = f"an execution may not set {name}; the owners of the data allow: {names}"
                raise InsituError("ParameterNotAllowed", detail, pointer=f"/parameters/{stage}/{name}")
    if len(canonical_json(given)) > MAX_PARAMETER_BYTES:
        detail = f"the parameters are longer than {MAX_PARAMETER_BYTES} bytes"
        raise InsituError("InvalidRequest", detail, pointer="/parameters")


def configured(stage: Stage, given: Parameters) -> dict[str, Scalar]:
    """Return what a stage is configured with: as its workflow says, and then as the execution's parameters say."""
    return {**stage.configuration, **given.get(str(stage.number), {})}


def _reads(stage: Stage) -> tuple[tuple[int, str | None, int | None], ...]:
    return tuple((source.index or 0, source.id, source.previous_stage) for source in stage.ordered_inputs)


def _refusal(detail: str, pointer: str) -> InsituError:
    return InsituError("RevisionChangesPurchase", detail, pointer=pointer)
