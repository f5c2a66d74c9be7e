"""The runtime: where the three pods of a stage run, sealed (E6, E7; design §6).

The law of every method: it is idempotent, works from names alone, and needs nothing that an earlier call of the same
process left in memory. Killing the caller between any two calls loses nothing.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from insitu.domain.execution import StepKey, StepStatus
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ExecutionPlan, ImageReference

__all__ = ["Enforcement", "LogChunk", "LogShare", "Runtime", "Step"]


@dataclass(frozen=True, slots=True)
class LogShare:
    """What of the log budget a result may hold (ADR 0097); without one nothing.

    ``consoles``: stage → bytes of what it printed. ``files``: bytes of the files of all logs volumes, with their paths.
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
        Lets configure and publish talk to the gateway for this execution; never reaches the Compute Pod.
    deadline
        The step is killed then, and ends with ``TimeLimitExceeded`` (compute) or ``InfrastructureFailed``.
    logs
        For publish.
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
        """The offset that follows the chunk."""
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """What the runtime proved when it was probed.

    ``limits`` maps a limit (memory, cpu, pids, disk, network, syscalls) to what enforces it, ``none`` included.
    ``refusals`` says why executions would be refused; empty means ready. ``code`` is the error that says so.
    """

    runtime: str
    limits: Mapping[str, str]
    refusals: tuple[str, ...] = ()
    code: str = "RuntimeUnavailable"


class Runtime(Protocol):
    """A place to run steps. One contract suite (tests/ports/runtime) runs over every adapter."""

    async def require_image(self, image: ImageReference) -> None:
        """Raise ``ImageUnavailable`` where it is known that the image cannot be had here by its digest.

        Asked before anybody pays and before anything is started. What cannot be found out within seconds is no error:
        then the start of the step decides.
        """
        ...

    async def ensure(self, step: Step) -> None:
        """Start the step unless it runs or has ended; returns once that is so.

        Failures to start end the step with a reason, they do not raise. Raises ``InsituError`` only where nothing
        can be known, for instance because the infrastructure does not answer.
        """
        ...

    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        """Return every step of the execution that exists here, ended ones until ``remove``."""
        ...

    async def running(self) -> frozenset[ExecutionId]:
        """Return the executions that have anything here: steps, volumes, containers. The sweeper asks it."""
        ...

    def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        """Follow the captured output of a compute step from ``offset`` until it has ended and all is read."""
        ...

    async def kill(self, execution_id: ExecutionId) -> None:
        """End every running step of the execution now, with all its processes. Output and logs stay."""
        ...

    async def remove(self, execution_id: ExecutionId) -> None:
        """Delete everything of the execution: containers, volumes, mounts, folders (E7). Kills first."""
        ...

    async def changed(self) -> frozenset[ExecutionId] | None:
        """Return when any step's status may have changed since the last call. Only wakes; may wake for nothing.

        Tells whose steps, None where that may be anybody's.
        """
        ...

    async def recover(self) -> None:
        """Called once at start, before anything else.

        On one machine every step that was running is killed and ends with ``Interrupted``; on a cluster the pods go on.
        """
        ...

    async def probe(self) -> Enforcement:
        """Prove the seal with a real run and tell what is enforced."""
        ...

    async def proof(self) -> Enforcement | None:
        """Return what the last probe found, whichever process made it; None where none is young enough to believe."""
        ...
