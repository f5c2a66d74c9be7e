"""What a pod's status means. Pure, so that every ending can be tested from a status.

A cluster reports the same thing in several places, and not at the same time: the phase changes a second after a
container ended, a pull that fails never ends by itself, and a container whose child was killed for memory "succeeded".
"""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightkube.models.core_v1 import ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, PodStatus
from lightkube.resources.core_v1 import Pod
from pydantic import ValidationError

from insitu.adapters.runtime.kubernetes.names import DEADLINE, STEP, STOP
from insitu.domain.errors import ERRORS
from insitu.domain.execution import Reason, StepKey, StepKind, StepStatus, Usage
from insitu.domain.exit_codes import describe_exit

_NOT_THERE = re.compile(r"not found|manifest unknown|name unknown|denied|unauthorized|invalid reference", re.IGNORECASE)
_NO_COMMAND = re.compile(r"executable file not found|no such file or directory|permission denied|exec format error")
_TELLS_LIMITS = ("cpuSeconds", "peakMemoryBytes", "outputBytes")


@dataclass(frozen=True, slots=True)
class PodPatience:
    """Seconds for which a pod may stay in a state that could pass by itself.

    Attributes
    ----------
    pending
        Not scheduled, without its volumes, or without its container.
    pulling
        A pull that failed although the image may exist.
    lost
        Being deleted for longer than planned, without an answer of the node.
    """

    pending: int = 300
    pulling: int = 120
    lost: int = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """Where a step stands. ``ending``: the step would not end by itself, so its pod has to be ended."""

    status: StepStatus
    ending: bool = False


def step_of(pod: Pod) -> StepKey | None:
    """Return which step a pod is."""
    labels = (pod.metadata.labels if pod.metadata else None) or {}
    return StepKey.read(labels.get(STEP, ""))


def has_run(pod: Pod) -> bool:
    """Return whether the container of the pod was started: then there may be a log."""
    found = _container(pod)
    return found is not None and found.state is not None and bool(found.state.running or found.state.terminated)


def judge(pod: Pod, key: StepKey, now: datetime, patience: PodPatience, limits: Mapping[str, str]) -> Judged:
    """Return where a step stands. ``limits``: what enforces them here, for the usage of a compute step."""
    return _PodCase(pod, key, now, patience, limits).verdict()


@dataclass(frozen=True, slots=True)
class _PodCase:
    pod: Pod
    key: StepKey
    now: datetime
    patience: PodPatience
    limits: Mapping[str, str]

    @property
    def status(self) -> PodStatus:
        return self.pod.status or PodStatus()

    @property
    def notes(self) -> Mapping[str, str]:
        return (self.pod.metadata.annotations if self.pod.metadata else None) or {}

    def verdict(self) -> Judged:
        container = _container(self.pod)
        state = container.state if container is not None else None
        if state is not None and state.terminated is not None:
            return Judged(self.ended(state.terminated))
        if self.status.phase == "Failed":
            return Judged(self.over(self.failed()))
        lost = self.lost()
        if lost is not None:
            return Judged(self.over(lost), ending=True)
        if state is not None and state.running is not None:
            return Judged(StepStatus(state="running", started_at=state.running.startedAt))
        stuck = self.stuck(state.waiting if state is not None else None)
        if stuck is not None:
            return Judged(self.over(stuck), ending=True)
        return Judged(StepStatus(state="running"))

    # ------------------------------------------------------------------------------------------ the container ended

    def ended(self, end: ContainerStateTerminated) -> StepStatus:
        if self.key.kind is StepKind.COMPUTE:
            reason, code = self.computed(end)
            return self.over(reason, end, code)
        told = _message(end.message)
        if end.exitCode == 0 and told is not None and told.reason is None:
            return self.over(None, end, None, told)
        wished = self.wished()
        if wished is None and told is not None and told.reason is not None and told.reason.code in ERRORS:
            wished = told.reason
        if wished is None and self.is_late(end):
            wished = self.late()
        if wished is None and self.is_deleted(end.exitCode):
            wished = Reason(code="Interrupted", message="the cluster ended the pod")
        return self.over(wished or self.defect(end), end)

    def computed(self, end: ContainerStateTerminated) -> tuple[Reason | None, int | None]:
        code = end.exitCode
        wished = self.wished()
        if end.reason == "OOMKilled":
            # A child that was killed for memory leaves half a result, whatever the first process says afterwards.
            message = "the memory limit was reached, and the kernel killed a process of the algorithm"
            return Reason(code="MemoryLimitExceeded", message=message), 137 if code == 0 else code
        if wished is not None and (code != 0 or wished.code != "Interrupted"):
            return wished, code
        if code == 0:
            return None, 0
        if end.reason in ("StartError", "ContainerCannotRun"):
            return self.not_started(end.message or "")
        return self.failure(end), code

    def failure(self, end: ContainerStateTerminated) -> Reason:
        code = end.exitCode
        if self.status.reason == "Evicted":
            return self.failed()
        if self.is_late(end):
            return self.late()
        if self.is_deleted(code):
            return Reason(code="Interrupted", message="the cluster ended the pod")
        if code == 128 + signal.SIGSYS:
            message = "a system call was refused (SIGSYS)"
            return Reason(code="ForbiddenSystemCall", message=message)
        # 137 may be a kill on the node, or a code that the algorithm chose to get another attempt: we cannot know.
        return Reason(code="AlgorithmFailed", message=f"the algorithm ended with {describe_exit(code)}")

    def not_started(self, message: str) -> tuple[Reason, int | None]:
        last = message.strip().splitlines()[-1][-500:] if message.strip() else "the cluster gave no reason"
        if "exec" in message and _NO_COMMAND.search(message) and "mount" not in message:
            told = f"the algorithm's command could not be started: {last}"
            return Reason(code="AlgorithmFailed", message=told), 127
        return Reason(code="InfrastructureFailed", message=f"the container could not be started: {last}"), None

    def is_deleted(self, code: int) -> bool:
        """Return whether a signal ended the container because its pod is being deleted."""
        meta = self.pod.metadata
        return code in (137, 143) and meta is not None and meta.deletionTimestamp is not None

    def is_late(self, end: ContainerStateTerminated) -> bool:
        if self.status.reason == "DeadlineExceeded":
            return True
        allowed = self.pod.spec.activeDeadlineSeconds if self.pod.spec else None
        began, ended = self.status.startTime, end.finishedAt
        if end.exitCode not in (137, 143) or allowed is None or began is None or ended is None:
            return False
        return ended >= began + timedelta(seconds=allowed)

    def late(self) -> Reason:
        if self.key.kind is not StepKind.COMPUTE:
            message = f"{self.key.kind} did not end before its deadline"
            return Reason(code="InfrastructureFailed", message=message)
        message = "the time limit was reached, and every process of the container was killed"
        return Reason(code="TimeLimitExceeded", message=message)

    def defect(self, end: ContainerStateTerminated) -> Reason:
        if end.reason == "OOMKilled":
            message = f"{self.key.kind} needed more memory than its pod has"
        elif end.exitCode == 0:
            message = f"{self.key.kind} ended without telling a result"
        else:
            message = f"{self.key.kind} failed: {describe_exit(end.exitCode)}"
        return Reason(code="InfrastructureFailed", message=message)

    def wished(self) -> Reason | None:
        """Return why we end this pod, if we do."""
        code, _, message = self.notes.get(STOP, "").partition(" ")
        return Reason(code=code, message=message) if code else None

    # ------------------------------------------------------------------------------- the container never ran, or ends

    def failed(self) -> Reason:
        """Return why the node or the scheduler gave up the pod."""
        told, message = self.status.reason or "", (self.status.message or "no reason was given")[:500]
        wished = self.wished()
        if wished is not None:
            return wished
        if told == "DeadlineExceeded":
            return self.not_started_in_time(self.pending())
        if told == "Evicted" and "exceed" in message and "low on resource" not in message:
            return Reason(code="DiskLimitExceeded", message=message)
        if told in ("Evicted", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"):
            return Reason(code="Interrupted", message=f"the node ended the pod: {message}")
        return Reason(code="InfrastructureFailed", message=f"the pod failed ({told or 'unknown'}): {message}")

    def lost(self) -> Reason | None:
        """Return the reason if the node does not confirm the deletion of the pod: it is gone, or cut off."""
        deletion = self.pod.metadata.deletionTimestamp if self.pod.metadata is not None else None
        if deletion is None or self.now < deletion + timedelta(seconds=self.patience.lost):
            return None
        return self.wished() or Reason(code="Interrupted", message="the pod's node was lost")

    def stuck(self, waiting: ContainerStateWaiting | None) -> Reason | None:
        why, message = (waiting.reason or "", (waiting.message or "")[:500]) if waiting else ("", "")
        if why in ("ErrImageNeverPull", "InvalidImageName"):
            return Reason(code="ImageUnavailable", message=message or why)
        if why in ("ErrImagePull", "ImagePullBackOff"):
            return self.pull(message)
        if why == "CreateContainerConfigError" and "subPath" in message:
            return Reason(code="InputUnreadable", message="an input is not on its volume, or cannot be opened there")
        if self.is_overdue():
            return self.not_started_in_time(self.pending() or message)
        if self.age() > self.patience.pending:
            return Reason(code="InfrastructureFailed", message=f"the pod did not start: {self.pending() or message}")
        return None

    def pull(self, message: str) -> Reason | None:
        if _NOT_THERE.search(message):
            return Reason(code="ImageUnavailable", message=f"the image cannot be pulled by its digest: {message}")
        if self.age() > self.patience.pulling:
            return Reason(code="ImageUnavailable", message=f"the registry does not give the image: {message}")
        return None

    def not_started_in_time(self, why: str) -> Reason:
        message = f"the pod was not started before its deadline: {why or 'the cluster gave no reason'}"
        return Reason(code="InfrastructureFailed", message=message)

    def pending(self) -> str:
        """Return why the scheduler holds the pod back."""
        waiting = (item for item in self.status.conditions or [] if item.status == "False" and item.message)
        return next((f"{item.reason}: {item.message}"[:500] for item in waiting), "")

    def age(self) -> float:
        created = self.pod.metadata.creationTimestamp if self.pod.metadata is not None else None
        return 0.0 if created is None else (self.now - created).total_seconds()

    def is_overdue(self) -> bool:
        written = self.notes.get(DEADLINE)
        return written is not None and self.now >= datetime.fromisoformat(written)

    def over(
        self,
        reason: Reason | None,
        end: ContainerStateTerminated | None = None,
        code: int | None = None,
        told: StepStatus | None = None,
    ) -> StepStatus:
        started = end.startedAt if end is not None else None
        ended = end.finishedAt if end is not None else self.now
        return StepStatus(
            state="ended",
            reason=reason,
            exit_code=code,
            usage=self.usage(end) if self.key.kind is StepKind.COMPUTE else Usage(),
            started_at=started,
            ended_at=ended,
            result=told.result if told is not None else {},
        )

    def usage(self, end: ContainerStateTerminated | None) -> Usage:
        unavailable = dict.fromkeys(_TELLS_LIMITS, "a cluster does not tell it without rights on its nodes")
        wall = None
        if end is None or end.startedAt is None or end.finishedAt is None:
            unavailable["wallSeconds"] = "the container did not start"
        else:
            wall = (end.finishedAt - end.startedAt).total_seconds()  # in whole seconds, as the kubelet counts
        return Usage(wall_seconds=wall, limits=dict(self.limits), unavailable=unavailable)


def _container(pod: Pod) -> ContainerStatus | None:
    found = (pod.status.containerStatuses if pod.status is not None else None) or []
    return found[0] if found else None


def _message(text: str | None) -> StepStatus | None:
    """Return the status that a pod of ours left in its termination message."""
    try:
        return StepStatus.model_validate_json(text or "")
    except ValidationError:
        return None
