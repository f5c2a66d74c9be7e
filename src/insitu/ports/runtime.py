"""The runtime: where the three pods of a stage run, sealed (E6, E7).

Every method is idempotent, works from names alone, and needs nothing that an earlier call left in memory. Killing the
caller between any two calls loses nothing.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from insitu.domain.execution import StepKey, StepStatus
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ExecutionPlan, ImageReference


@dataclass(frozen=True, slots=True)
class LogShare:
    """How much of the log budget a result may hold (ADR 0097); by default nothing.

    ``consoles`` maps a stage to bytes of what it printed. ``files`` is the bytes of the files in all logs volumes,
    including their paths.
    """

    consoles: Mapping[int, int] = field(default_factory=dict)
    files: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One pod to run.

    Attributes
    ----------
    attempts
        For each earlier stage, the attempt whose output counts (input ``previousStage``).
    ticket
        Lets configure and publish talk to the gateway about this execution. It never reaches the Compute Pod.
    deadline
        When the step is killed; it ends with ``TimeLimitExceeded`` (compute) or ``InfrastructureFailed``.
    logs
        Used by publish.
    """

    key: StepKey
    plan: ExecutionPlan
    attempts: Mapping[int, int]
    ticket: str
    deadline: datetime
    logs: LogShare = LogShare()


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Captured output of a step: the bytes at ``offset``."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset just after the chunk."""
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What the runtime proved when it was probed.

    ``limits`` maps a limit (memory, cpu, pids, disk, network, syscalls) to what enforces it, or to ``none``.
    ``refusals`` says why executions would be refused; empty means ready. ``code`` is the error they would get.
    """

    runtime: str
    limits: Mapping[str, str]
    refusals: tuple[str, ...] = ()
    code: str = "RuntimeUnavailable"


class Runtime(Protocol):
    """A place to run steps. One contract suite (tests/ports/runtime) runs over every adapter."""

    async def require_image(self, image: ImageReference) -> None:
        """Raise ``ImageUnavailable`` if the image is known to be unavailable here by its digest.

        Called before anybody pays and before anything is started. If the answer can't be found within seconds, nothing
        is raised and the start of the step decides.
        """
        ...

    async def ensure(self, step: Step) -> None:
        """Start the step unless it runs or has ended, and return once that is so.

        A failure to start ends the step with a reason and does not raise. Raises ``InsituError`` only when nothing can
        be known, for instance because the infrastructure does not answer.
        """
        ...

    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        """Return every step of the execution that exists here; ended ones stay until ``remove``."""
        ...

    async def running(self) -> frozenset[ExecutionId]:
        """Return the executions that have anything here: steps, volumes, containers. For the sweeper."""
        ...

    def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        """Follow the captured output of a compute step from ``offset`` until it has ended and all is read."""
        ...

    async def kill(self, execution_id: ExecutionId) -> None:
        """End every running step of the execution now, with all its processes. Output and logs stay."""
        ...

    async def remove(self, execution_id: ExecutionId) -> None:
        """Kill the execution and delete everything it has: containers, volumes, mounts, folders (E7)."""
        ...

    async def changed(self) -> frozenset[ExecutionId] | None:
        """Return when a step's status may have changed since the last call. It may return for nothing.

        The answer names the executions, or is None when it may be any of them.
        """
        ...

    async def recover(self) -> None:
        """Recover at start; called once, before anything else.

        On one machine every step that was running is killed and ends with ``Interrupted``; on a cluster pods continue.
        """
        ...

    async def probe(self) -> Enforcement:
        """Prove the seal with a real run and return what is enforced."""
        ...

    async def proof(self) -> Enforcement | None:
        """Return what the last probe by any process found; None if there is none, or it is too old to trust."""
        ...
