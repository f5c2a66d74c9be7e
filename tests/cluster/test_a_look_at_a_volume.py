"""What a pod found on the volume of a failed algorithm decides between its own fault and a full disk."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lightkube.resources.core_v1 import Pod

from insitu.adapters.runtime.kubernetes.inspecting import judge_inspection
from insitu.domain.execution import Reason, StepStatus, Usage

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
FAILED = StepStatus(
    state="ended",
    reason=Reason(code="AlgorithmFailed", message="the algorithm ended with exit code 1"),
    exit_code=1,
    ended_at=NOW,
    usage=Usage(unavailable={"outputBytes": "not told", "cpuSeconds": "not told"}),
)
ROOM: dict[str, Any] = {"free": 1 << 20, "files": 100, "used": 4096}


def looking(*, code: int = 0, phase: str = "Running", **found: int) -> Pod:
    end = {"exitCode": code, "message": json.dumps({**ROOM, **found})}
    container = {
        "name": "main", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": {"terminated": end}
    }  # fmt: skip
    return Pod.from_dict({"status": {"phase": phase, "containerStatuses": [container]}})


def code_of(status: StepStatus | None) -> str | None:
    assert status is not None
    return status.reason.code if status.reason is not None else None


@pytest.mark.parametrize(
    ("found", "code"),
    [({}, "AlgorithmFailed"), ({"free": 4096}, "DiskLimitExceeded"), ({"files": 0}, "DiskLimitExceeded")],
)
def test_a_full_volume_is_the_reason(found: dict[str, int], code: str) -> None:
    status = judge_inspection(FAILED, looking(**found), NOW)
    assert code_of(status) == code
    assert status is not None
    assert status.exit_code == 1
    assert status.usage.output_bytes == 4096
    assert status.usage.unavailable == {"cpuSeconds": "not told"}


def test_the_end_waits_for_the_look() -> None:
    assert judge_inspection(FAILED, None, NOW + timedelta(seconds=5)) is None
    assert judge_inspection(FAILED, Pod.from_dict({"status": {"phase": "Pending"}}), NOW + timedelta(seconds=5)) is None


def test_without_a_look_the_algorithms_own_end_counts() -> None:
    assert judge_inspection(FAILED, None, NOW + timedelta(seconds=61)) == FAILED
    assert judge_inspection(FAILED, looking(code=1, phase="Failed"), NOW) == FAILED
