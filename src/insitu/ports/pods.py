"""The Configuration Pod and the Publishing Pod as functions, for a runtime that runs them in its own process.

On a cluster the same functions run as ``insitu pod configure|publish``. The runtime gives them folders; they never see
how those are mounted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from insitu.ports.runtime import Step


@dataclass(frozen=True, slots=True)
class OutputVolume:
    """What a stage left: folders of an untrusted algorithm, complete and no longer written.

    ``console`` is the captured standard output and error of the attempt that counts.
    """

    stage: int
    output: Path
    logs: Path
    console: Path | None


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of a step.

    Attributes
    ----------
    fetched
        Configure writes each fetched input file to ``<fetched>/<position>/<name>``; the Compute Pod sees it
        read-only.
    algorithm
        Configure writes the algorithm's files here; the Compute Pod sees it at ``/mnt/transformations/1``.
    outputs
        For publish: the volumes of the stages that ended well, by stage index.
    claims
        For configure: the folders of the cluster's volumes that the plan names as ``Claim``, by name, read-only.
    """

    fetched: Path
    algorithm: Path
    outputs: Mapping[int, OutputVolume]
    claims: Mapping[str, Path] = field(default_factory=dict)


class ConfigurePod(Protocol):
    """Prepares a stage: fetches and verifies its files, and proves that every input opens (E6)."""

    async def __call__(self, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
        """Fetch and check; return the digests of the inputs and the algorithm (``StepStatus.result``).

        Raises ``AlgorithmChanged``, ``InputChanged``, ``InputUnreadable``, ``ConfigurationFailed``.
        """
        ...


class PublishPod(Protocol):
    """Collects the output under the owner's rules and hands it to the gateway (E8)."""

    async def __call__(self, step: Step, workspace: Workspace) -> dict[str, JsonValue]:
        """Collect, check, hand over; return the manifest's digest, count and bytes (``StepStatus.result``).

        Raises ``OutputRejected`` (nothing has left), ``PublishingFailed``.
        """
        ...
