"""What the monitor's facts mean. Pure, so that every ending can be tested from a record."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from insitu.adapters.runtime.oci.cgroups import read_counters
from insitu.domain.execution import Reason, Usage
from insitu.domain.exit_codes import describe_exit

__all__ = ["Ending", "Outcome", "read_exit"]

_NEARLY_FULL = 64 * 1024
"""Bytes below which a volume counts as full: the last ones go to the file system's own blocks."""


class Ending(StrEnum):
    """How a container ended."""

    OK = "ok"
    ERROR = "error"
    OOM = "oom"
    PIDS = "pids"
    DISK = "disk"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    LOG_CAP = "log_cap"
    FORBIDDEN_CALL = "forbidden_call"
    RUNTIME_ERROR = "runtime_error"
    LOST = "lost"


_CODES: Mapping[Ending, str] = {
    Ending.ERROR: "AlgorithmFailed",
    Ending.OOM: "MemoryLimitExceeded",
    Ending.PIDS: "ProcessLimitExceeded",
    Ending.DISK: "DiskLimitExceeded",
    Ending.TIMEOUT: "TimeLimitExceeded",
    Ending.STOPPED: "Interrupted",
    Ending.LOG_CAP: "LogLimitExceeded",
    Ending.FORBIDDEN_CALL: "ForbiddenSystemCall",
    Ending.RUNTIME_ERROR: "InfrastructureFailed",
    Ending.LOST: "Interrupted",
}


_KILLED: Mapping[str, tuple[Ending, str]] = {
    "lost": (Ending.LOST, "the container's monitor ended without a record"),
    "stopped": (Ending.STOPPED, "the container was stopped"),
    "timeout": (Ending.TIMEOUT, "the time limit was reached, and every process of the container was killed"),
    "log_cap": (Ending.LOG_CAP, "more than the allowed log was written, and the container was killed"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a container. ``exit_code`` is the shell's: 128 + signal for a process that a signal ended."""

    ending: Ending
    exit_code: int | None
    message: str
    usage: Usage

    @property
    def reason(self) -> Reason | None:
        """The domain's reason; None if it ended well."""
        if self.ending is Ending.OK:
            return None
        return Reason(code=_CODES[self.ending], message=self.message)


def read_exit(record: Mapping[str, Any], *, runtime_log: str = "", enforced: Mapping[str, str]) -> Outcome:
    """Read the exit file of a container.

    ``runtime_log`` is what the OCI runtime logged; ``enforced`` says which limits were in force, for the receipt.
    """
    status: int | None = record.get("status")
    usage = _usage(record, enforced)
    ending, message = _judge(record, status, runtime_log)
    code = None if status is None else _exit_code(status)
    if ending is Ending.ERROR and status is None:
        code = 127
    return Outcome(ending, code, message, usage)


def _judge(record: Mapping[str, Any], status: int | None, runtime_log: str) -> tuple[Ending, str]:
    counters = read_counters(record.get("counters") or {})
    if record.get("cause") in _KILLED:
        ending, message = _KILLED[record["cause"]]
        return ending, str(record.get("message") or message)
    if record.get("launch_status") != 0:
        return _failed_launch(runtime_log)
    if status is None:
        return Ending.LOST, "the exit of the container was not seen"
    # A child that was killed for memory leaves half a result behind, whatever the first process says afterwards.
    if counters.oom_kills > 0:
        return Ending.OOM, "the memory limit was reached, and the kernel killed a process of the algorithm"
    if record.get("salvage_status"):
        return Ending.DISK, "the files of the output are larger than their volume"
    if status == 0:
        return Ending.OK, ""
    return _failure(record, status, pids_refused=counters.pids_refused)


def _failure(record: Mapping[str, Any], status: int, *, pids_refused: int) -> tuple[Ending, str]:
    code = _exit_code(status)  # the first process reports a signal that ended the algorithm as shells do
    if code == 128 + signal.SIGSYS:
        return Ending.FORBIDDEN_CALL, "a system call of a foreign architecture was refused (SIGSYS)"
    full = [name for name, room in (record.get("volumes") or {}).items() if room and _is_full(room)]
    if full or code == 128 + signal.SIGXFSZ:
        where = full[0] if full else "a file"
        return Ending.DISK, f"{where} reached its size limit; {describe_exit(code)}"
    if pids_refused > 0:
        return Ending.PIDS, f"the limit of processes was reached; {describe_exit(code)}"
    if status == -signal.SIGKILL:
        # The first process of a PID namespace cannot be killed from inside it, so this is not the algorithm's fault.
        return Ending.LOST, "it was killed from outside the container"
    return Ending.ERROR, f"the algorithm ended with {describe_exit(code)}"


def _failed_launch(runtime_log: str) -> tuple[Ending, str]:
    """Tell a wrong command of the image or the plan from everything else, which is the machine's fault."""
    text = runtime_log.strip()
    last = text.splitlines()[-1] if text else "the OCI runtime gave no reason"
    missing = ("executable file not found", "no such file or directory", "permission denied", "exec format error")
    lower = last.lower()
    if ("exec" in lower) and any(phrase in lower for phrase in missing) and "mount" not in lower:
        return Ending.ERROR, f"the algorithm's command could not be started: {last[:500]}"
    return Ending.RUNTIME_ERROR, f"the container could not be started: {last[:500]}"


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
