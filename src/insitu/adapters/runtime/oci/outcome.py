"""What the monitor's facts mean. Pure, so that every ending can be tested from a record."""

import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from insitu.adapters.runtime.oci.cgroups import read_counters
from insitu.domain.execution import Reason, StepStatus, Usage
from insitu.domain.exit_codes import describe_exit

_NEARLY_FULL = 64 * 1024
"""Bytes below which a volume counts as full: the last ones go to the file system's own blocks."""


_KILLED: Mapping[str, tuple[str, str]] = {
    "lost": ("Interrupted", "the container's monitor ended without a record"),
    "stopped": ("Interrupted", "the container was stopped"),
    "timeout": ("TimeLimitExceeded", "the time limit was reached, and every process of the container was killed"),
    "log_cap": ("LogLimitExceeded", "more than the allowed log was written, and the container was killed"),
}


def read_exit(record: Mapping[str, Any], *, runtime_log: str = "", enforced: Mapping[str, str]) -> StepStatus:
    """Read the exit file of a container. A process that a signal ended has the exit code of a shell, 128 + signal.

    ``runtime_log`` is what the OCI runtime logged; ``enforced`` says which limits were in force, for the receipt.
    """
    status: int | None = record.get("status")
    reason = _judge(record, status, runtime_log)
    code = None if status is None else _exit_code(status)
    if status is None and reason is not None and reason.code == "AlgorithmFailed":
        code = 127
    return StepStatus(
        state="ended",
        reason=reason,
        exit_code=code,
        usage=_usage(record, enforced),
        started_at=_moment(record.get("started")),
        ended_at=_moment(record.get("ended")),
    )


def _judge(record: Mapping[str, Any], status: int | None, runtime_log: str) -> Reason | None:
    counters = read_counters(record.get("counters") or {})
    if record.get("cause") in _KILLED:
        code, message = _KILLED[record["cause"]]
        return Reason(code=code, message=str(record.get("message") or message))
    if record.get("launch_status") != 0:
        return _failed_launch(runtime_log)
    if status is None:
        return Reason(code="Interrupted", message="the exit of the container was not seen")
    # A child that was killed for memory leaves half a result behind, whatever the first process says afterwards.
    if counters.oom_kills > 0:
        return Reason(
            code="MemoryLimitExceeded",
            message="the memory limit was reached, and the kernel killed a process of the algorithm",
        )
    if record.get("salvage_status"):
        return Reason(code="DiskLimitExceeded", message="the files of the output are larger than their volume")
    if status == 0:
        return None
    return _failure(record, status, pids_refused=counters.pids_refused)


def _failure(record: Mapping[str, Any], status: int, *, pids_refused: int) -> Reason:
    code = _exit_code(status)  # the first process reports a signal that ended the algorithm as shells do
    if code == 128 + signal.SIGSYS:
        return Reason(
            code="ForbiddenSystemCall", message="a system call of a foreign architecture was refused (SIGSYS)"
        )
    full = [name for name, room in (record.get("volumes") or {}).items() if room and _is_full(room)]
    if full or code == 128 + signal.SIGXFSZ:
        where = full[0] if full else "a file"
        return Reason(code="DiskLimitExceeded", message=f"{where} reached its size limit; {describe_exit(code)}")
    if pids_refused > 0:
        return Reason(code="ProcessLimitExceeded", message=f"the limit of processes was reached; {describe_exit(code)}")
    if status == -signal.SIGKILL:
        # The first process of a PID namespace cannot be killed from inside it, so this is not the algorithm's fault.
        return Reason(code="Interrupted", message="it was killed from outside the container")
    return Reason(code="AlgorithmFailed", message=f"the algorithm ended with {describe_exit(code)}")


def _failed_launch(runtime_log: str) -> Reason:
    """Tell a wrong command of the image or the plan from everything else, which is the machine's fault."""
    text = runtime_log.strip()
    last = text.splitlines()[-1] if text else "the OCI runtime gave no reason"
    missing = ("executable file not found", "no such file or directory", "permission denied", "exec format error")
    lower = last.lower()
    if ("exec" in lower) and any(phrase in lower for phrase in missing) and "mount" not in lower:
        return Reason(code="AlgorithmFailed", message=f"the algorithm's command could not be started: {last[:500]}")
    return Reason(code="InfrastructureFailed", message=f"the container could not be started: {last[:500]}")


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _is_full(room: Mapping[str, int]) -> bool:
    return room["blocks_free"] * room["block_bytes"] < _NEARLY_FULL or room["files_free"] == 0


def _exit_code(status: int) -> int:
    """Return the exit code as shells count: a signal is 128 plus its number."""
    return status if status >= 0 else 128 - status


def _usage(record: Mapping[str, Any], enforced: Mapping[str, str]) -> Usage:
    counters = read_counters(record.get("counters") or {})
    unavailable: dict[str, str] = {}
    cpu = counters.cpu_seconds
    if cpu is None:
        cpu = record.get("cpu_seconds")
    if cpu is None:
        unavailable["cpuSeconds"] = "the container did not start"
    if counters.peak_memory_bytes is None:
        unavailable["peakMemoryBytes"] = "no memory control group is available"
    started, ended = record.get("started"), record.get("ended")
    wall = max(ended - started, 0.0) if started and ended else None
    if wall is None:
        unavailable["wallSeconds"] = "the container did not start"
    room = (record.get("volumes") or {}).get("/mnt/output")
    written = None
    if room:
        baseline = (record.get("baseline") or {}).get("/mnt/output", 0)
        written = max((room["blocks"] - room["blocks_free"]) * room["block_bytes"] - baseline, 0)
    else:
        unavailable["outputBytes"] = "the volume could not be read after the end"
    return Usage(
        cpu_seconds=None if cpu is None else round(cpu, 6),
        peak_memory_bytes=counters.peak_memory_bytes,
        wall_seconds=None if wall is None else round(wall, 6),
        output_bytes=written,
        limits=dict(enforced),
        unavailable=unavailable,
    )
