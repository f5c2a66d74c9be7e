"""Every way a container can end, as the monitor records it, and what the receipt will say."""

import signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.runtime.oci.outcome import read_exit
from insitu.domain.errors import ERRORS

ROOM = {"block_bytes": 4096, "blocks": 1000, "blocks_free": 500, "files_free": 10}
FULL = ROOM | {"blocks_free": 0}
FINE: dict[str, Any] = {
    "cause": None,
    "launch_status": 0,
    "status": 0,
    "started": 100.0,
    "ended": 103.5,
    "cpu_seconds": 1.25,
    "counters": {},
    "volumes": {"/mnt/output": ROOM, "/mnt/logs": ROOM},
}


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        ({}, None, 0),
        ({"status": 3}, "AlgorithmFailed", 3),
        ({"status": 127}, "AlgorithmFailed", 127),
        ({"status": 159}, "ForbiddenSystemCall", 159),
        ({"status": 153}, "DiskLimitExceeded", 153),
        ({"status": -11}, "AlgorithmFailed", 139),
        ({"status": -31}, "ForbiddenSystemCall", 159),
        ({"status": -9, "counters": {"memory_events_child": "oom_kill 1"}}, "MemoryLimitExceeded", 137),
        ({"status": 0, "counters": {"memory_events": "oom_kill 1"}}, "MemoryLimitExceeded", 0),
        ({"status": 1, "counters": {"pids_events": "max 2"}}, "ProcessLimitExceeded", 1),
        ({"status": 0, "counters": {"pids_events": "max 2"}}, None, 0),
        ({"status": 1, "volumes": {"/mnt/output": FULL}}, "DiskLimitExceeded", 1),
        ({"status": 1, "volumes": {"/mnt/logs": ROOM | {"files_free": 0}}}, "DiskLimitExceeded", 1),
        ({"status": 0, "volumes": {"/mnt/output": FULL}}, None, 0),
        ({"status": -25}, "DiskLimitExceeded", 153),
        ({"status": 0, "salvage_status": 1}, "DiskLimitExceeded", 0),
        ({"status": -9}, "Interrupted", 137),
        ({"status": 137}, "AlgorithmFailed", 137),
        ({"cause": "timeout", "status": -9}, "TimeLimitExceeded", 137),
        ({"cause": "stopped", "status": -9}, "Interrupted", 137),
        ({"cause": "log_cap", "status": -9}, "LogLimitExceeded", 137),
        ({"cause": "lost", "status": None}, "Interrupted", None),
        ({"status": None}, "Interrupted", None),
        ({"launch_status": 1, "status": None}, "InfrastructureFailed", None),
    ],
)
def test_an_ending_has_a_verdict_and_a_code(change: dict[str, Any], code: str | None, exit_code: int | None) -> None:
    outcome = read_exit(FINE | change, enforced={})
    assert (outcome.reason.code if outcome.reason else None) == code
    assert outcome.exit_code == exit_code
    assert outcome.reason is None or outcome.reason.message


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ('exec: "x": executable file not found in $PATH', "AlgorithmFailed"),
        ('level=error msg="exec /mnt/transformations/1/run: permission denied"', "AlgorithmFailed"),
        ("error executing hook: no space left on device", "InfrastructureFailed"),
        ('error mounting "/x" to rootfs at "/mnt": no such file or directory (exec)', "InfrastructureFailed"),
        ("", "InfrastructureFailed"),
    ],
)
def test_a_command_that_cannot_start_is_told_from_a_machine_that_cannot_start_it(log: str, code: str) -> None:
    outcome = read_exit(FINE | {"launch_status": 1, "status": None}, runtime_log=log, enforced={})
    assert outcome.reason is not None
    assert outcome.reason.code == code
    assert outcome.exit_code == (127 if code == "AlgorithmFailed" else None)


def test_use_is_taken_from_the_group_first_and_what_is_missing_has_a_reason() -> None:
    counters = {"cpu_nanoseconds": "2000000000", "memory_peak": "4096"}
    usage = read_exit(
        FINE | {"counters": counters, "baseline": {"/mnt/output": 4096}}, enforced={"memory": "cgroup"}
    ).usage
    assert (usage.cpu_seconds, usage.peak_memory_bytes, usage.wall_seconds) == (2.0, 4096, 3.5)
    assert usage.output_bytes == 499 * 4096
    assert usage.limits == {"memory": "cgroup"}
    assert usage.unavailable == {}
    usage = read_exit({"cause": "lost"}, enforced={}).usage
    assert set(usage.unavailable) == {"cpuSeconds", "peakMemoryBytes", "wallSeconds", "outputBytes"}


@given(st.integers(-64, 255), st.sampled_from([None, "stopped", "timeout", "log_cap", "lost"]))
def test_every_status_gives_a_code_of_the_table_and_a_shells_exit_code(status: int, cause: str | None) -> None:
    outcome = read_exit(FINE | {"status": status, "cause": cause}, enforced={})
    assert outcome.reason is None or outcome.reason.code in ERRORS
    assert outcome.exit_code == (status if status >= 0 else 128 - status)
    if status < 0 and cause is None and outcome.reason is not None and outcome.reason.code == "AlgorithmFailed":
        known = -status in {s.value for s in signal.Signals}
        assert (signal.Signals(-status).name if known else str(-status)) in outcome.reason.message
