"""The OPERATOR SERVICE's surface, for the gateway only; requests and answers are the values of its port (E3, E4)."""

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
"""Offset of the first byte of a log answer."""


class ImagesBody(WireRequest):
    """``POST images``: which images an execution would need; 204 unless one is known to be missing."""

    images: Annotated[tuple[ImageReference, ...], Field(max_length=64)]


class StopBody(WireRequest):
    """``DELETE workflows/{serviceAgreementId}/{workflowExecutionId}``: who wants the end."""

    by: Stopper


class ExecutionAnswer(WireModel):
    """A record and its place in the queue."""

    execution: Execution
    position: int = 0


class ExecutionsAnswer(WireModel):
    """A list of records, newest first."""

    executions: tuple[Execution, ...]


class ProofAnswer(WireModel):
    """``GET proof``: what the runtime proved, and what enforces each limit (``none``: nothing does)."""

    runtime: str
    limits: dict[str, str]


class LogKeysAnswer(WireModel):
    """``GET workflows/{serviceAgreementId}/{workflowExecutionId}/logs``: which logs there are.

    Each is at ``…/logs/{stage}/{attempt}?offset=&follow=&counted=`` as bytes; ``counted`` where the consumer gets them.
    """

    keys: tuple[LogKey, ...]


class LogStateAnswer(WireModel):
    """``GET workflows/{serviceAgreementId}/{workflowExecutionId}/logs-state``: whether the consumer may see more."""

    state: LogState
