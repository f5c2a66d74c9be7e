"""The OPERATOR SERVICE's API, for the gateway only; requests and answers are the values of its port (E3, E4)."""

from typing import Annotated

from pydantic import Field

from insitu.domain.execution import Execution, Stopper
from insitu.domain.log_release import LogState
from insitu.domain.plan import ImageReference
from insitu.domain.wire import WireModel, WireRequest
from insitu.ports.peers import LogKey

BASE = "/api/v1/operator"
WORKFLOWS = BASE + "/workflows"
CAPACITY = BASE + "/capacity"
IMAGES = BASE + "/images"
PROOF = BASE + "/proof"

LOG_OFFSET_HEADER = "Insitu-Log-Offset"
"""The offset of the first byte in the answer to a request for a log."""


class ImagesBody(WireRequest):
    """``POST images``: the images that an execution would need; the answer is 204 unless one is known to be missing."""

    images: Annotated[tuple[ImageReference, ...], Field(max_length=64)]


class StopBody(WireRequest):
    """``DELETE workflows/{serviceAgreementId}/{workflowExecutionId}``: who wants it to end."""

    by: Stopper


class ExecutionAnswer(WireModel):
    """A record and its place in the queue."""

    execution: Execution
    position: int = 0


class ExecutionsAnswer(WireModel):
    """A list of records, newest first."""

    executions: tuple[Execution, ...]


class ProofAnswer(WireModel):
    """``GET proof``: what the runtime has proven, and what enforces each limit (``none``: nothing does)."""

    runtime: str
    limits: dict[str, str]


class LogKeysAnswer(WireModel):
    """``GET workflows/{serviceAgreementId}/{workflowExecutionId}/logs``: which logs there are.

    Each is at ``…/logs/{stage}/{attempt}?offset=&follow=&counted=`` as bytes; ``counted`` if they are for the consumer.
    """

    keys: tuple[LogKey, ...]


class LogStateAnswer(WireModel):
    """``GET workflows/{serviceAgreementId}/{workflowExecutionId}/logs-state``: whether the consumer may see more."""

    state: LogState
