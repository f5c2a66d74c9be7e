"""An execution and its life: phases, reasons, steps, transitions (E4–E8).

``Phase`` is small and drives the machine. ``Reason`` is for people: a stable code of the error table, a sentence about
this case, and through the table the next step.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue
from typing_extensions import override

from insitu.domain.errors import definition_of
from insitu.domain.ids import AgreementId, ExecutionId
from insitu.domain.plan import ExecutionPlan, Failures
from insitu.domain.wire import Time, WireModel


class Phase(StrEnum):
    """Where an execution stands. ``Registered`` means queued."""

    REGISTERED = "Registered"
    CONFIGURING = "Configuring"
    EXECUTING = "Executing"
    REVIEWING = "Reviewing"
    PUBLISHING = "Publishing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"


ENDED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED})

TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.REGISTERED: frozenset({Phase.CONFIGURING, Phase.FAILED, Phase.STOPPED}),
    Phase.CONFIGURING: frozenset({Phase.CONFIGURING, Phase.EXECUTING, Phase.FAILED, Phase.STOPPED}),
    Phase.EXECUTING: frozenset({Phase.CONFIGURING, Phase.REVIEWING, Phase.FAILED, Phase.STOPPED}),
    Phase.REVIEWING: frozenset({Phase.PUBLISHING, Phase.FAILED, Phase.STOPPED}),
    Phase.PUBLISHING: frozenset({Phase.PUBLISHING, Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED}),
    Phase.SUCCEEDED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.STOPPED: frozenset(),
}
"""Every permitted change of phase. The next stage, or a new attempt, goes back to ``Configuring``."""

Stopper = Literal["consumer", "owner", "provider"]


class Charge(StrEnum):
    """What an ended execution costs (ADR 0098)."""

    FULL = "full"
    """The full price, once per agreement, for a success that delivered a file or log text."""
    IF_NONE_SUCCEEDS = "ifNoneSucceeds"
    """Nothing now; the provider may charge for it if the agreement ends without a success."""
    NEVER = "never"


_NEVER_FREE = frozenset({"OutputRejected", "StoppedByConsumer", "TimeLimitExceeded"})
"""Otherwise an algorithm prints its result, fails, and computes for nothing."""
_CONSUMERS_RISK = _NEVER_FREE | {
    "AlgorithmFailed",
    "DiskLimitExceeded",
    "ForbiddenSystemCall",
    "LogLimitExceeded",
    "MemoryLimitExceeded",
    "ProcessLimitExceeded",
}
_STEP = re.compile(r"([0-9]+)-(configure|compute|publish)-([0-9]+)")
_NOT_ALWAYS_THEIRS = frozenset({"AlgorithmChanged", "ConfigurationFailed", "InputChanged", "StoppedByOwner"})
"""Ends caused by somebody else, who may be the consumer with another account, or by a URL that may be theirs."""
_RETRIABLE = frozenset({"ConfigurationFailed", "InfrastructureFailed", "Interrupted", "PublishingFailed"})


HIDDEN = "the owner's policy keeps the details"

NOTHING_DELIVERED = "NothingDelivered"
"""Reason of a success that delivered neither a file nor log text to the consumer: it costs nothing (ADR 0098)."""


class Reason(WireModel):
    """Why an execution ended or is waiting: a code of the error table, and what happened in this case."""

    code: str
    message: str

    @property
    def next_step(self) -> str:
        """What the reader should do next."""
        return definition_of(self.code).next_step

    @property
    def hidden(self) -> "Reason":
        """The code without the sentence, for anyone who may not see the logs."""
        return Reason(code=self.code, message=HIDDEN)


def is_retriable(reason: Reason) -> bool:
    """Return whether another attempt on fresh volumes can help, which is so only if the infrastructure failed."""
    return reason.code in _RETRIABLE


def charge_of(
    phase: Phase, reason: Reason | None, *, delivered: bool = False, failures: Failures = "charged"
) -> Charge:
    """Decide what an ended execution costs (ADR 0098, ADR 0125).

    Parameters
    ----------
    delivered
        Whether log text reached the consumer.
    failures
        What was agreed about failures of the algorithm.
    """
    if phase is Phase.SUCCEEDED:
        return Charge.NEVER if reason is not None and reason.code == NOTHING_DELIVERED else Charge.FULL
    risk = _NEVER_FREE if failures == "free" else _CONSUMERS_RISK
    if reason is not None and reason.code in (risk | _NOT_ALWAYS_THEIRS if delivered else risk):
        return Charge.IF_NONE_SUCCEEDS
    return Charge.NEVER


class StepKind(StrEnum):
    """The three pods of the specification (E6)."""

    CONFIGURE = "configure"
    COMPUTE = "compute"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True, order=True)
class StepKey:
    """The name of one step of an execution. It is deterministic, so that ensuring a step twice starts it once.

    ``stage`` is the stage's index; for publish, the last stage's.
    """

    kind: StepKind
    stage: int
    attempt: int

    @override
    def __str__(self) -> str:
        return f"{self.stage}-{self.kind}-{self.attempt}"

    @staticmethod
    def read(text: str) -> "StepKey | None":
        """Read what ``str`` wrote, or return None for any other text."""
        match = _STEP.fullmatch(text)
        return StepKey(StepKind(match[2]), int(match[1]), int(match[3])) if match else None


class Usage(WireModel):
    """What a step used; null with a reason in ``unavailable`` if the infrastructure does not report it (E8)."""

    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    wall_seconds: float | None = None
    output_bytes: int | None = None
    limits: dict[str, str] = Field(default_factory=dict)
    """Limit → what enforces it (``cgroup``, ``loop-ext4``, ``rlimit``, ``none``)."""
    unavailable: dict[str, str] = Field(default_factory=dict)

    @property
    def hidden(self) -> "Usage":
        """The limits without what was used, for anyone who may not see the logs."""
        names = ("cpu_seconds", "peak_memory_bytes", "wall_seconds", "output_bytes")
        return Usage(limits=self.limits, unavailable=dict.fromkeys(names, HIDDEN))


class StepStatus(WireModel):
    """What the runtime knows about a step.

    Attributes
    ----------
    reason
        None if the step is running or ended well.
    result
        What a pod hands to the engine, at most 4096 bytes as JSON: the digests of the configured inputs, or the
        manifest of the output.
    """

    state: Literal["running", "ended"]
    reason: Reason | None = None
    exit_code: int | None = None
    usage: Usage = Usage()
    started_at: Time | None = None
    ended_at: Time | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True once the step ended well."""
        return self.state == "ended" and self.reason is None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the engine sees at this moment, regardless of what was planned.

    Attributes
    ----------
    steps
        Every step of the execution that the runtime still knows.
    admitted
        True if the execution's server fits into the free capacity; only meaningful while it is queued.
    position
        Place in the queue, from 1; 0 when not queued.
    """

    steps: Mapping[StepKey, StepStatus] = field(default_factory=dict)
    admitted: bool = True
    position: int = 0


class StopRequest(WireModel):
    """A request to end the execution."""

    by: Stopper
    at: Time


class StageRecord(WireModel):
    """How a stage went: the attempt that counts, its times, what it used, and what configure found."""

    stage: int
    attempt: int
    configured: dict[str, JsonValue] = Field(default_factory=dict)
    started_at: Time | None = None
    ended_at: Time | None = None
    exit_code: int | None = None
    usage: Usage = Usage()
    reason: Reason | None = None


class Transition(WireModel):
    """One change of phase. ``sequence`` counts from 1 per execution, so reporting a change twice is harmless."""

    sequence: int
    phase: Phase
    at: Time
    stage: int | None = None
    attempt: int | None = None
    reason: Reason | None = None


class Execution(WireModel):
    """The operator's record of an execution. Every change makes a new value with ``version`` + 1.

    Attributes
    ----------
    stage, attempt
        The index of the current stage, and its attempt from 1.
    records
        One per stage that ended or failed, in order.
    published
        The result of the publish step (the manifest of the output), once it ended well.
    outcome
        The intended final transition, until the gateway has frozen an outcome (the first one wins).
    reported
        The sequence of the last transition that the gateway has acknowledged.
    cleaned
        True once nothing of the execution is left in the infrastructure (E7).
    """

    plan: ExecutionPlan
    phase: Phase = Phase.REGISTERED
    stage: int
    attempt: int = 1
    history: tuple[Transition, ...]
    records: tuple[StageRecord, ...] = ()
    published: dict[str, JsonValue] | None = None
    stop: StopRequest | None = None
    outcome: Transition | None = None
    reported: int = 0
    cleaned: bool = False
    version: int = 1

    @property
    def execution_id(self) -> ExecutionId:
        """The plan's workflowExecutionId."""
        return self.plan.workflow_execution_id

    @property
    def agreement_id(self) -> AgreementId:
        """The plan's serviceAgreementId."""
        return self.plan.service_agreement_id

    @property
    def ended(self) -> bool:
        """True in a final phase: the gateway has frozen the outcome, and only cleaning may still be due."""
        return self.phase in ENDED

    @property
    def reason(self) -> Reason | None:
        """Why the last transition happened, if it has a reason."""
        return self.history[-1].reason

    @property
    def since(self) -> Time:
        """When the current phase began."""
        return self.history[-1].at
