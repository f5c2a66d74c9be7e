"""Every way in which a pod can end or hang is a reason of the error table; no cluster is needed to know which."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.resources.core_v1 import Pod

from insitu.adapters.runtime.kubernetes.compute_pod import image_reference
from insitu.adapters.runtime.kubernetes.configuration import Placement, PodImage
from insitu.adapters.runtime.kubernetes.names import DEADLINE, STEP, STOP
from insitu.adapters.runtime.kubernetes.probe import judge_findings
from insitu.adapters.runtime.kubernetes.sealing import literal
from insitu.adapters.runtime.kubernetes.verdicts import Judged, PodPatience, judge
from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepKind, is_retriable
from insitu.domain.plan import ImageReference

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
COMPUTE, CONFIGURE = StepKey(StepKind.COMPUTE, 0, 1), StepKey(StepKind.CONFIGURE, 0, 1)
DONE = '{"state": "ended", "result": {"inputs": {}}}'
REFUSED = '{"state": "ended", "reason": {"code": "InputChanged", "message": "a.csv differs"}}'
PULL = "rpc error: code = NotFound desc = failed to pull and unpack image: not found"


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(
    key: StepKey = COMPUTE,
    *,
    state: dict[str, Any] | None = None,
    created: float = -20,
    deleted: float | None = None,
    deadline: float = 100,
    allowed: int = 120,
    stop: str | None = None,
    **status: Any,
) -> Judged:
    notes = {DEADLINE: at(deadline)} | ({} if stop is None else {STOP: stop})
    meta: dict[str, Any] = {
        "name": "x", "creationTimestamp": at(created), "annotations": notes, "labels": {STEP: str(key)}
    }  # fmt: skip
    if deleted is not None:
        meta["deletionTimestamp"] = at(deleted)
    if state is not None:
        container = {"name": "main", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": state}
        status["containerStatuses"] = [container]
    pod = {
        "metadata": meta,
        "spec": {"containers": [{"name": "main"}], "activeDeadlineSeconds": allowed},
        "status": {"startTime": at(created + 1), **status},
    }
    return judge(Pod.from_dict(pod), key, NOW, PodPatience(), {"memory": "cgroup"})


def ended(code: int, reason: str = "Error", **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": at(-10), "finishedAt": at(-3), **more}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def code_of(verdict: Judged) -> str | None:
    assert verdict.status.state == "ended"
    return verdict.status.reason.code if verdict.status.reason is not None else None


def test_an_algorithm_that_ends_well_has_no_reason() -> None:
    status = seen(state=ended(0, "Completed"), phase="Running").status
    assert status.ok
    assert status.exit_code == 0
    assert status.usage.wall_seconds == 7
    assert set(status.usage.unavailable) == {"cpuSeconds", "peakMemoryBytes", "outputBytes"}


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ("AlgorithmFailed", lambda: seen(state=ended(3))),
        ("AlgorithmFailed", lambda: seen(state=ended(139))),
        ("AlgorithmFailed", lambda: seen(state=ended(137))),
        ("ForbiddenSystemCall", lambda: seen(state=ended(159))),
        ("MemoryLimitExceeded", lambda: seen(state=ended(137, "OOMKilled"))),
        ("MemoryLimitExceeded", lambda: seen(state=ended(0, "OOMKilled"), phase="Succeeded")),
        ("TimeLimitExceeded", lambda: seen(state=ended(137), phase="Failed", reason="DeadlineExceeded")),
        ("TimeLimitExceeded", lambda: seen(state=ended(143), allowed=10)),
        ("Interrupted", lambda: seen(state=ended(137), deleted=-5)),
        ("Interrupted", lambda: seen(state=ended(137), stop="Interrupted the step was stopped")),
        ("LogLimitExceeded", lambda: seen(state=ended(0), stop="LogLimitExceeded too much")),
        (None, lambda: seen(state=ended(0), stop="Interrupted the step was stopped")),
        (
            "DiskLimitExceeded",
            lambda: seen(
                state=ended(137),
                phase="Failed",
                reason="Evicted",
                message="Container main exceeded its local ephemeral storage limit",
            ),
        ),
        (
            "Interrupted",
            lambda: seen(
                phase="Failed", reason="Evicted", message="The node was low on resource: memory. main was using more"
            ),
        ),
        ("Interrupted", lambda: seen(phase="Failed", reason="NodeLost")),
        ("InfrastructureFailed", lambda: seen(phase="Failed", reason="OutOfcpu")),
        ("InfrastructureFailed", lambda: seen(phase="Failed", reason="DeadlineExceeded")),
        ("InfrastructureFailed", lambda: seen(state=ended(128, "StartError", message="mount: permission denied"))),
        (
            "AlgorithmFailed",
            lambda: seen(state=ended(128, "StartError", message='exec: "x": no such file or directory')),
        ),
        ("InfrastructureFailed", lambda: seen(CONFIGURE, state=ended(1))),
        ("InfrastructureFailed", lambda: seen(CONFIGURE, state=ended(0, "Completed"))),
        ("InfrastructureFailed", lambda: seen(CONFIGURE, state=ended(137, "OOMKilled"))),
        ("InputChanged", lambda: seen(CONFIGURE, state=ended(1, message=REFUSED))),
        ("Interrupted", lambda: seen(CONFIGURE, state=ended(137), stop="Interrupted the step was stopped")),
        ("Interrupted", lambda: seen(CONFIGURE, state=ended(143), deleted=-5)),
    ],
)
def test_an_end_has_its_reason(expected: str | None, verdict: Any) -> None:
    found = verdict()
    assert code_of(found) == expected
    assert not found.ending


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ("ImageUnavailable", lambda: seen(state=waiting("ErrImagePull", PULL))),
        ("ImageUnavailable", lambda: seen(state=waiting("ImagePullBackOff", f'Back-off pulling image "x": {PULL}'))),
        ("ImageUnavailable", lambda: seen(state=waiting("InvalidImageName"))),
        ("ImageUnavailable", lambda: seen(state=waiting("ErrImagePull", "connection refused"), created=-121)),
        ("InputUnreadable", lambda: seen(state=waiting("CreateContainerConfigError", "failed to prepare subPath"))),
        ("InfrastructureFailed", lambda: seen(state=waiting("ContainerCreating"), created=-301)),
        ("InfrastructureFailed", lambda: seen(deadline=-1)),
        ("Interrupted", lambda: seen(state={"running": {"startedAt": at(-10)}}, deleted=-16)),
    ],
)
def test_what_would_never_end_is_ended(expected: str, verdict: Any) -> None:
    found = verdict()
    assert code_of(found) == expected
    assert found.ending


@pytest.mark.parametrize(
    "verdict",
    [
        seen,
        lambda: seen(state=waiting("ContainerCreating")),
        lambda: seen(state=waiting("ErrImagePull", "connection refused")),
        lambda: seen(state={"running": {"startedAt": at(-10)}}),
        lambda: seen(state={"running": {"startedAt": at(-10)}}, deleted=-1),
    ],
)
def test_what_may_still_come_right_is_waited_for(verdict: Any) -> None:
    assert verdict().status.state == "running"


def test_the_reason_of_a_pod_that_cannot_be_scheduled_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: no cpu"}
    status = seen(created=-400, conditions=[condition]).status
    assert status.reason is not None
    assert "0/1 nodes: no cpu" in status.reason.message
    assert is_retriable(status.reason)
    status = seen(deadline=-1, conditions=[condition]).status
    assert status.reason is not None
    assert "before its deadline: Unschedulable: 0/1 nodes: no cpu" in status.reason.message


def test_a_pods_last_word_is_its_result() -> None:
    status = seen(CONFIGURE, state=ended(0, "Completed", message=DONE)).status
    assert status.ok
    assert status.result == {"inputs": {}}


def test_a_word_that_names_no_error_of_the_table_is_a_defect() -> None:
    message = '{"state": "ended", "reason": {"code": "Nonsense", "message": "x"}}'
    assert code_of(seen(CONFIGURE, state=ended(1, message=message))) == "InfrastructureFailed"


def test_an_image_is_named_by_its_digest_in_the_providers_registry() -> None:
    digest = "sha256:" + "a" * 64

    def named(image: str) -> str:
        return image_reference(ImageReference(image=image, tag="1", digest=digest), "registry.example:5000")

    assert named("insitu/python") == f"registry.example:5000/insitu/python@{digest}"
    assert named("quay.io/org/tool") == f"quay.io/org/tool@{digest}"
    assert named("localhost/tool") == f"localhost/tool@{digest}"
    for bad in ("UPPER case", "a b", "x@sha256:1", "../x", "x\n"):
        with pytest.raises(InsituError, match="ImageUnavailable"):
            named(bad)
    with pytest.raises(InsituError, match="ImageUnavailable"):
        image_reference(ImageReference(image="x", tag="1", digest="latest"), "r")


def test_a_cluster_replaces_nothing_in_what_an_algorithm_is_told() -> None:
    assert literal("--name=$(HOME) costs $5 $$(X)") == "--name=$$(HOME) costs $$5 $$$$(X)"


FOUND: dict[str, Any] = {
    "reached": {"1.1.1.1:443": "ENETUNREACH", "10.0.0.1:443": "TimeoutError"},
    "devices": ["lo"],
    "uid": 1000,
    "capabilities": 0,
    "no_new_privileges": True,
    "seccomp": True,
    "writable": [],
    "token": False,
    "disk": "ENOSPC",
    "threads": 60,
}
PLACEMENT = Placement(PodImage("x@sha256:0"), "http://gateway", "r", "fast")


def test_walls_that_hold_are_named() -> None:
    limits, refusals = judge_findings(FOUND, PLACEMENT)
    assert refusals == ()
    assert limits == {
        "cpu": "cgroup", "disk": "volume", "memory": "cgroup", "network": "no device", "pids": "cgroup",
        "syscalls": "seccomp",
    }  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        {"reached": {"10.0.0.1:443": "open"}},
        {"reached": {"10.0.0.1:443": "refused"}},
        {"reached": {"10.96.0.10:53/udp": "open"}},
        {"disk": "ok"},
        {"uid": 0},
        {"capabilities": 1},
        {"no_new_privileges": False},
        {"seccomp": False},
        {"writable": ["/etc"]},
        {"token": True},
    ],
)
def test_a_wall_with_a_door_refuses_executions(broken: dict[str, Any]) -> None:
    _, refusals = judge_findings({**FOUND, **broken}, PLACEMENT)
    assert len(refusals) == 1
    assert refusals[0].startswith(("a Compute Pod", "a volume"))
