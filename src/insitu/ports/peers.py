"""The neighbours: each actor speaks to the next through one of these, whether it is an object or an HTTP service."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from pydantic import JsonValue

from insitu.domain.execution import Execution, StageRecord, Stopper, Transition
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.log_release import LogState
from insitu.domain.plan import ExecutionPlan, ImageReference
from insitu.domain.wire import WireModel
from insitu.ports.catalog import RegisteredVersion
from insitu.ports.runtime import Enforcement, LogChunk

__all__ = ["Capacity", "ExecutionReport", "GatewayPeer", "LogKey", "MetadataPeer", "OperatorPeer", "Registration"]


class Registration(WireModel):
    """The "Workflow Registration" request (E3).

    ``workflow`` is the workflow's DDO and ``service`` the compute service's ``main`` of the first input, for the
    operator's own check of the flavour (E4). ``services`` holds those of all inputs by DID.
    """

    plan: ExecutionPlan
    workflow: dict[str, JsonValue]
    services: dict[str, dict[str, JsonValue]]
    ticket: str


class LogKey(WireModel):
    """Names the captured output of one attempt of one stage."""

    stage: int
    attempt: int


class Capacity(WireModel):
    """What the operator offers in all: thousandths of a core, bytes, bytes, devices."""

    cpu_millis: int
    memory_bytes: int
    disk_bytes: int
    gpu: int = 0


class ExecutionReport(WireModel):
    """How an execution ended; the gateway makes receipt, result and settlement from it (E8–E10)."""

    plan: ExecutionPlan
    history: tuple[Transition, ...]
    records: tuple[StageRecord, ...]
    outcome: Transition
    """The intended final transition."""
    published: dict[str, JsonValue] | None = None
    released: int = 0
    """Bytes of captured text that the consumer has read or may read; after a success that is final."""
    runtime: str
    enforcement: dict[str, str]


class GatewayPeer(Protocol):
    """What the operator and its pods need from the gateway; every call shows the execution's ticket."""

    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        """Tell transitions; known sequences are ignored."""
        ...

    def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        """Stream a file that the plan names by a ``Fetch`` reference.

        Raises ``ConfigurationFailed``, and ``PeerUnavailable`` where a gateway in another process is away.
        """
        ...

    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        """Hand over the bytes of an output file or of the manifest; again is harmless."""
        ...

    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        """Freeze the outcome, exactly once, and return the frozen one: the first report wins over later ones."""
        ...


class OperatorPeer(Protocol):
    """The operator's three services, status, and list (E3, E4)."""

    async def require_images(self, images: Sequence[ImageReference]) -> None:
        """Raise ``ImageUnavailable`` where it is known that one of the images cannot be had by its digest.

        Where no image could run at all, raise what :meth:`proof` raises.
        """
        ...

    async def register(self, registration: Registration) -> Execution:
        """Start an execution; the same one again returns its record. Raises ``ExecutionInProgress``."""
        ...

    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Execution:
        """Return the record. Raises ``ExecutionUnknown``."""
        ...

    async def position(self, agreement_id: AgreementId, execution_id: ExecutionId) -> int:
        """Return the place in the queue from 1, 0 when not queued. Raises ``ExecutionUnknown``."""
        ...

    def logs(
        self,
        agreement_id: AgreementId,
        execution_id: ExecutionId,
        key: LogKey,
        offset: int = 0,
        *,
        follow: bool = False,
        counted: bool = True,
    ) -> AsyncIterator[LogChunk]:
        """Stream a stage's log from ``offset``; ``follow`` until the attempt ended. Raises ``ExecutionUnknown``.

        What is ``counted`` is for the consumer: it ends where the budget does, or with a rejection of the output.
        """
        ...

    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        """Tell whether the consumer may see more of the logs. Raises ``ExecutionUnknown``."""
        ...

    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        """List the logs of an execution, in order of stage and attempt."""
        ...

    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        """Ask for the end; an ended one stays as it is. Raises ``ExecutionUnknown``."""
        ...

    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        """List executions, newest first."""
        ...

    async def capacity(self) -> Capacity:
        """Return what the operator offers in all."""
        ...

    async def proof(self) -> Enforcement:
        """Return what the runtime proved. Raises ``RuntimeUnavailable``, ``IsolationNotEnforced`` until it has."""
        ...


class MetadataPeer(Protocol):
    """Where documents are published and read (P2, P3)."""

    async def publish(self, document: dict[str, JsonValue]) -> str:
        """Publish a DDO and return the url that resolves it, with ``{did}`` for the DID; again is harmless."""
        ...

    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        """Read the DDO at ``url``, the version with the on-chain ``checksum`` where given. Raises ``AssetNotFound``."""
        ...

    async def is_retired(self, did: str) -> bool:
        """Tell whether its owner took the asset off this catalogue's lists; False for one that is not known there."""
        ...

    async def versions(self, did: str, before: int) -> tuple[RegisteredVersion, ...]:
        """List what the catalogue saw registered of a DID below version ``before``, newest first; the chain proves."""
        ...
