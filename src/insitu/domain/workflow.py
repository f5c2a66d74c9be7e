"""Workflows: stages in ascending index, each with inputs, one transformation, requirements and an output."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, Field

from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import Container, Quantity
from insitu.domain.ddo import Ddo
from insitu.domain.document import Document, Whole
from insitu.domain.errors import InsituError
from insitu.domain.service import Index, sha256_of
from insitu.domain.units import parse_bytes, parse_cores, parse_count

MAX_STAGES = 100
MAX_INPUTS = 100
"""The most inputs per stage: every input is a volume, and an operator mounts no more."""


class WorkflowInput(Document):
    """One input of a stage: the DID of a data set, or the output of an earlier stage."""

    index: Index | None = None
    id: str | None = None
    previous_stage: Index | None = Field(
        default=None,
        validation_alias=AliasChoices("previousStage", "previousIndexStage"),
        serialization_alias="previousStage",
    )


class StageRequirements(Document):
    """The minimum that a stage needs. ``serverId`` chooses a server by name."""

    server_instances: Whole | None = None
    server_id: str | None = None
    container: Container | None = None
    cpu: Quantity | None = None
    gpu: Quantity | None = None
    memory: Quantity | None = None
    disk: Quantity | None = None


class StageTransformation(Document):
    """The algorithm of a stage. ``checksum`` pins one version by its on-chain checksum, else the current one runs."""

    id: str | None = None
    checksum: str | None = None


class StageOutput(Document):
    """The result's name and description. ``id`` is not supported, because every result is a new asset."""

    id: str | None = None
    metadata: JsonObject | None = None


class Stage(Document):
    """One stage. ``stage_type`` is free text that is shown and recorded."""

    index: Index | None = None
    stage_type: str = ""
    requirements: StageRequirements = StageRequirements()
    input: tuple[WorkflowInput, ...] = ()
    transformation: StageTransformation = StageTransformation()
    output: StageOutput = StageOutput()
    configuration: dict[str, Any] = Field(default_factory=dict)

    @property
    def number(self) -> int:
        """The index; 0 if an old document has none."""
        return self.index or 0

    @property
    def ordered_inputs(self) -> tuple[WorkflowInput, ...]:
        """The inputs in ascending index: the order of the volumes and arguments."""
        return tuple(sorted(self.input, key=lambda source: source.index or 0))


@dataclass(frozen=True, slots=True)
class Need:
    """The largest requirements of all stages: thousandths of a core, processors, bytes."""

    millicores: int = 0
    gpus: int = 0
    memory_bytes: int = 0
    disk_bytes: int = 0


class Workflow(Document):
    """``main.workflow``."""

    stages: tuple[Stage, ...] = ()

    @property
    def ordered_stages(self) -> tuple[Stage, ...]:
        """The stages in the order in which they run."""
        return tuple(sorted(self.stages, key=lambda stage: stage.number))

    @property
    def input_dids(self) -> tuple[str, ...]:
        """The data sets that the workflow reads, each once, in the order of stages and inputs."""
        return tuple(dict.fromkeys(read.id for read in self._inputs() if read.id is not None))

    @property
    def transformation_dids(self) -> tuple[str, ...]:
        """The algorithms that the workflow runs, each once, in the order of stages."""
        return tuple(self.transformations)

    @property
    def transformations(self) -> dict[str, str | None]:
        """The algorithms and the version that each is pinned to, 64 digits; None stands for the current one."""
        stages = (stage.transformation for stage in self.ordered_stages)
        return {stage.id: sha256_of(stage.checksum) for stage in stages if stage.id is not None}

    @property
    def published_stages(self) -> tuple[int, ...]:
        """Indices of the stages whose output no later stage reads, in ascending order: these are published."""
        read = {source.previous_stage for source in self._inputs() if source.previous_stage is not None}
        return tuple(stage.number for stage in self.ordered_stages if stage.number not in read)

    @property
    def server_ids(self) -> tuple[str, ...]:
        """The servers that the stages name, each once."""
        named = (stage.requirements.server_id for stage in self.ordered_stages)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def need(self) -> Need:
        """The maxima of the stages' cpu, gpu, memory and disk. Raises ``InvalidQuantity``."""
        wanted = [stage.requirements for stage in self.stages]
        return Need(
            millicores=max((parse_cores(stage.cpu) for stage in wanted if stage.cpu is not None), default=0),
            gpus=max((parse_count(stage.gpu) for stage in wanted if stage.gpu is not None), default=0),
            memory_bytes=max((parse_bytes(stage.memory) for stage in wanted if stage.memory is not None), default=0),
            disk_bytes=max((parse_bytes(stage.disk) for stage in wanted if stage.disk is not None), default=0),
        )

    @property
    def output_metadata(self) -> JsonObject:
        """What the stages with published outputs say about the result; later stages win."""
        described: JsonObject = {}
        published = set(self.published_stages)
        for stage in self.ordered_stages:
            if stage.number in published:
                described |= stage.output.metadata or {}
        return described

    def _inputs(self) -> Iterator[WorkflowInput]:
        for stage in self.ordered_stages:
            yield from stage.ordered_inputs


def output_prefix(stage: int, published_stages: tuple[int, ...]) -> str:
    """Return where a stage's files are in the result: at the top, or in ``stage-<index>/`` if several publish."""
    return f"stage-{stage}/" if len(published_stages) > 1 else ""


def require_readable(described: Mapping[str, Any]) -> None:
    """Refuse a ``main.workflow`` that is too long, before its stages and inputs are read one by one.

    Raises ``TooManyStages``.
    """
    given = described.get("stages")
    stages = given if isinstance(given, list) else []
    for stage in stages:
        inputs = stage.get("input") if isinstance(stage, dict) else None
        if len(stages) > MAX_STAGES or (isinstance(inputs, list) and len(inputs) > MAX_INPUTS):
            raise InsituError("TooManyStages", f"at most {MAX_STAGES} stages, each with {MAX_INPUTS} inputs")


def read_workflow(ddo: Ddo) -> Workflow:
    """Return the workflow of an asset of type workflow. Raises ``InvalidDocument`` with pointers."""
    workflow = ddo.main.get("workflow")
    if workflow is None:
        raise InsituError("InvalidDocument", f"{ddo.id} is not a workflow", pointer="/service")
    position = next(i for i, service in enumerate(ddo.service) if service is ddo.metadata)
    return Workflow.read(workflow, f"/service/{position}/attributes/main/workflow")
