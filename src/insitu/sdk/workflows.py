"""Workflows from small Python values (design §5, "Workflow")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import Container

__all__ = ["NewAlgorithm", "Previous", "Stage", "describe_stages"]


@dataclass(frozen=True, slots=True)
class Previous:
    """The output of an earlier stage as an input."""

    stage: int


@dataclass(frozen=True, slots=True, eq=False)
class NewAlgorithm:
    """An algorithm that was read and is not published: how it is started, and what it imports."""

    description: AlgorithmDescription
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a workflow.

    Attributes
    ----------
    algorithm
        DID of the algorithm, or one that is not published yet: of that only a price can be asked.
    inputs
        DIDs of data sets and outputs of earlier stages, in the order of ``--input1``, ``--input2`` …
    container
        ``{image, tag, checksum}``, or ``"NAME:TAG"`` or a digest among those that all data sets of the workflow
        support; None takes the one that the algorithm needs, else the first that all of them support and that is
        known to have what it needs.
    stage_type
        Free text, such as Filtering; shown and recorded.
    configuration
        Passed to the algorithm as ``--name=value``.
    server_id
        The server to run on; None takes the cheapest that is large enough.
    cpu, gpu, memory, disk
        The least that the stage needs: cores, processors, ``8gb`` or ``512mib``.
    output
        Description of the result, as for registering an asset.
    """

    algorithm: str | NewAlgorithm
    inputs: Sequence[str | Previous]
    container: Mapping[str, str] | Container | str | None = None
    stage_type: str = ""
    configuration: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    server_id: str | None = None
    cpu: str | int | None = None
    gpu: str | int | None = None
    memory: str | None = None
    disk: str | None = None
    output: Mapping[str, Any] | None = None


def describe_stages(stages: Sequence[Stage], containers: Sequence[JsonObject]) -> JsonObject:
    """Return ``main.workflow``; ``containers`` has the container of each stage."""
    described = (_describe(*numbered) for numbered in zip(range(len(stages)), stages, containers, strict=True))
    return {"stages": list(described)}


def _describe(index: int, stage: Stage, container: JsonObject) -> JsonObject:
    wanted = {"serverId": stage.server_id, "memory": stage.memory, "disk": stage.disk}
    wanted |= {name: _text(value) for name, value in (("cpu", stage.cpu), ("gpu", stage.gpu))}
    requirements: JsonObject = {"serverInstances": 1, "container": container}
    described: JsonObject = {
        "index": index,
        "stageType": stage.stage_type,
        "requirements": requirements | {name: value for name, value in wanted.items() if value is not None},
        "input": [_input(position, one) for position, one in enumerate(stage.inputs)],
        "transformation": {"id": stage.algorithm} if isinstance(stage.algorithm, str) else {},
        "output": {"metadata": dict(stage.output)} if stage.output else {},
    }
    return described | ({"configuration": dict(stage.configuration)} if stage.configuration else {})


def _input(position: int, one: str | Previous) -> JsonObject:
    source = {"previousStage": one.stage} if isinstance(one, Previous) else {"id": one}
    return {"index": position, **source}


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
