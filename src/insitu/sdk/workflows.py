"""Workflows from simple Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insitu.domain.algorithm import AlgorithmDescription
from insitu.domain.canonical import JsonObject
from insitu.domain.compute_service import Container


@dataclass(frozen=True, slots=True)
class Previous:
    """The output of an earlier stage as an input."""

    stage: int


@dataclass(frozen=True, slots=True, eq=False)
class NewAlgorithm:
    """An algorithm that is not published yet: how it is started, and what it imports."""

    description: AlgorithmDescription
    imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of a workflow.

    Attributes
    ----------
    algorithm
        DID of the algorithm, which is pinned to its current version, or ``DID@CHECKSUM`` for another one. Or an
        algorithm that is not published yet, for which you can only ask the price.
    inputs
        DIDs of data sets and outputs of earlier stages, in the order of ``--input1``, ``--input2`` …
    container
        ``{image, tag, checksum}``, or ``"NAME:TAG"`` or a digest among those that all data sets of the workflow
        support. None takes the one that the algorithm needs, or else the first one that all data sets support and
        that is known to have what the algorithm needs.
    stage_type
        Free text such as Filtering, which is shown and recorded.
    configuration
        Passed to the algorithm as ``--name=value``.
    server_id
        The server to run on; None takes the cheapest that is large enough.
    cpu, gpu, memory, disk
        The minimum that the stage needs: cores, processors, ``8gb`` or ``512mib``.
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


def named_version(text: str) -> tuple[str, str | None]:
    """Return DID and on-chain checksum of ``DID@CHECKSUM``; None for a DID alone, which means its current version."""
    did, _, checksum = text.partition("@")
    return did, checksum or None


def describe_stages(
    stages: Sequence[Stage], containers: Sequence[JsonObject], algorithms: Sequence[JsonObject]
) -> JsonObject:
    """Return ``main.workflow``; the others have the container and the ``transformation`` of each stage."""
    numbered = zip(range(len(stages)), stages, containers, algorithms, strict=True)
    return {"stages": [_describe(*described) for described in numbered]}


def _describe(index: int, stage: Stage, container: JsonObject, algorithm: JsonObject) -> JsonObject:
    wanted = {"serverId": stage.server_id, "memory": stage.memory, "disk": stage.disk}
    wanted |= {name: _text(value) for name, value in (("cpu", stage.cpu), ("gpu", stage.gpu))}
    requirements: JsonObject = {"serverInstances": 1, "container": container}
    described: JsonObject = {
        "index": index,
        "stageType": stage.stage_type,
        "requirements": requirements | {name: value for name, value in wanted.items() if value is not None},
        "input": [_input(position, source) for position, source in enumerate(stage.inputs)],
        "transformation": algorithm,
        "output": {"metadata": dict(stage.output)} if stage.output else {},
    }
    return described | ({"configuration": dict(stage.configuration)} if stage.configuration else {})


def _input(position: int, source: str | Previous) -> JsonObject:
    named = {"previousStage": source.stage} if isinstance(source, Previous) else {"id": source}
    return {"index": position, **named}


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
