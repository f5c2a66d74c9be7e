"""The peers: each actor talks to the next through one of these, whether that is an object or an HTTP service."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from pydantic import JsonValue

from insitu.domain.execution import Execution, StageRecord, Stopper, Transition
from insitu.domain.ids import Address, AgreementId, ExecutionId
from insitu.domain.log_release import LogState
from insitu.domain.plan import ExecutionPlan, ImageReference
from insitu.domain.wire import WireModel
from insitu.ports.catalog import AssetRecord
from insitu.ports.runtime import Enforcement, LogChunk


class Registration(WireModel):
    """The "Workflow Registration" request (E3).

    ``workflow`` is the workflow's DDO. ``services`` holds the ``main`` of each input's compute service by DID, for the
    operator's own checks (E4).
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
    """What the operator offers in total: thousandths of a core, bytes, bytes, devices."""

    cpu_millis: int
    memory_bytes: int
    disk_bytes: int
    gpu: int = 0


class ExecutionReport(WireModel):
    """How an execution ended. The gateway makes the receipt, result and settlement from it (E8–E10)."""

    plan: ExecutionPlan
    history: tuple[Transition, ...]
    records: tuple[StageRecord, ...]
    outcome: Transition
    """The intended final transition."""
    published: dict[str, JsonValue] | None = None
    released: int = 0
    """Bytes of captured text that the consumer has read or may read. After a success the number is final."""
    released_lines: int | None = None
    """Lines of that text, the last one even if it does not end; None if a log could not be read."""
    runtime: str
    enforcement: dict[str, str]


class GatewayPeer(Protocol):
    """What the operator and its pods need from the gateway. Every call presents the execution's ticket."""

    async def progress(self, ticket: str, execution_id: ExecutionId, transitions: Sequence[Transition]) -> None:
        """Report transitions. Known sequences are ignored."""
        ...

    def fetch(self, ticket: str, reference: str) -> AsyncIterator[bytes]:
        """Stream a file that the plan names by a ``Fetch`` reference.

        Raises ``ConfigurationFailed``, and ``PeerUnavailable`` when a gateway in another process is away.
        """
        ...

    async def put_output(self, ticket: str, sha256: str, chunks: AsyncIterator[bytes]) -> None:
        """Hand over the bytes of an output file or of the manifest. Repeating it is harmless."""
        ...

    async def finish(self, ticket: str, report: ExecutionReport) -> Transition:
        """Freeze the outcome, exactly once, and return the frozen one. The first report wins."""
        ...


class OperatorPeer(Protocol):
    """The operator's three services, status, and list (E3, E4)."""

    async def require_images(self, images: Sequence[ImageReference]) -> None:
        """Raise ``ImageUnavailable`` if one of the images is known to be unavailable by its digest.

        If no image could run at all, raise what :meth:`proof` raises.
        """
        ...

    async def register(self, registration: Registration) -> Execution:
        """Start an execution and return its record; one that exists is not started twice.

        Raises ``ExecutionInProgress``.
        """
        ...

    async def status(self, agreement_id: AgreementId, execution_id: ExecutionId) -> Execution:
        """Return the record. Raises ``ExecutionUnknown``."""
        ...

    async def position(self, agreement_id: AgreementId, execution_id: ExecutionId) -> int:
        """Return the place in the queue from 1, or 0 when not queued. Raises ``ExecutionUnknown``."""
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
        """Stream a stage's log from ``offset``, with ``follow`` until the attempt ends. Raises ``ExecutionUnknown``.

        A ``counted`` stream is for the consumer: it ends with the log budget, or when the output is rejected.
        """
        ...

    async def log_state(self, agreement_id: AgreementId, execution_id: ExecutionId) -> LogState:
        """Return whether the consumer may see more of the logs. Raises ``ExecutionUnknown``."""
        ...

    async def log_keys(self, agreement_id: AgreementId, execution_id: ExecutionId) -> tuple[LogKey, ...]:
        """List the logs of an execution, in order of stage and attempt."""
        ...

    async def stop(self, agreement_id: AgreementId, execution_id: ExecutionId, by: Stopper) -> Execution:
        """Ask for the execution to end. An ended one stays as it is. Raises ``ExecutionUnknown``."""
        ...

    async def list(self, agreement_id: AgreementId | None = None) -> tuple[Execution, ...]:
        """List executions, newest first."""
        ...

    async def capacity(self) -> Capacity:
        """Return what the operator offers in total."""
        ...

    async def proof(self) -> Enforcement:
        """Return what the runtime proved. Until then raises ``RuntimeUnavailable`` or ``IsolationNotEnforced``."""
        ...


class MetadataPeer(Protocol):
    """Where documents are published and read (P2, P3)."""

    async def publish(self, document: dict[str, JsonValue]) -> str:
        """Publish a DDO and return the URL that resolves it, with ``{did}`` for the DID. Repeating it is harmless."""
        ...

    async def read(self, url: str, checksum: str | None = None) -> dict[str, JsonValue]:
        """Read the DDO at ``url``, in the version with the on-chain ``checksum`` if given. Raises ``AssetNotFound``."""
        ...

    async def is_retired(self, did: str) -> bool:
        """Return whether the owner took the asset off this catalogue's lists; False for an unknown asset."""
        ...

    async def published(self, creator: Address, key: str, deadline: int, signature: bytes) -> AssetRecord | None:
        """Return what a creator published under an Idempotency-Key. A gateway signs a ``PublicationQuestion``.

        Raises ``SignatureMismatch`` if it is no gateway that the catalogue knows.
        """
        ...
