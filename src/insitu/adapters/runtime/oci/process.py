"""One container's run on this machine: launching its monitor, finding it again, ending it.

Everything is found by names in the run's folder. A monitor lives exactly as long as the folder's lock is held, so
another process that reuses its number is never mistaken for it.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insitu.adapters.runtime.oci.cgroups import Cgroups

_MONITOR = Path(__file__).with_name("monitor.py")
_STOP_SECONDS = 5.0
_VARIABLES = ("PATH", "XDG_RUNTIME_DIR")
_WRITE_LOCK = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
"""``struct flock`` over the whole file. An open-file-description lock goes to the monitor with the descriptor."""


class _Inside:
    """A file or folder with a fixed name in the folder of a step."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, folder: "RunFolder", _: type) -> Path:
        return folder.path / self._name


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names in the folder of one compute step; ``name`` is that of the container and of its control group."""

    path: Path
    name: str

    lock = _Inside("lock")
    """Held by the launching supervisor, then by the monitor, whose number is in it."""
    run = _Inside("run.json")
    """Written just before the launch: what the record needs later. If it exists, the run was launched."""
    exit = _Inside("exit.json")
    """The facts of the end. If it exists, the run has ended."""
    log = _Inside("console.log")
    """Captured output, append-only."""
    runtime_log = _Inside("runtime.log")
    """What the OCI runtime itself logged."""
    state = _Inside("state")
    """The OCI runtime's own state (``--root``)."""
    bundle = _Inside("bundle")
    """The OCI bundle: config.json."""
    pid = _Inside("pid")
    """Number of the container's first process, written by the OCI runtime."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor that was just launched: its number, and the descriptors for its order and its bell."""

    pid: int
    order: int
    bell: int


@contextlib.contextmanager
def locked(folder: RunFolder) -> Iterator[int | None]:
    """Take the run's lock; yield None if it is held, so that a run is alive. A monitor that inherits it keeps it."""
    folder.path.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _WRITE_LOCK)
        except (BlockingIOError, PermissionError):
            yield None
        else:
            yield lock
    finally:
        os.close(lock)


def launch_monitor(lock: int, image: int) -> Monitor:
    """Start a monitor. It waits for its order, so its start-up overlaps with the preparation of the run."""
    order_read, order_write = os.pipe()
    bell_read, bell_write = os.pipe()
    try:
        actions = [
            (os.POSIX_SPAWN_DUP2, order_read, 0),
            (os.POSIX_SPAWN_DUP2, bell_write, 1),
            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
            # First move them above all targets, because a target number may still be in use as a source.
            (os.POSIX_SPAWN_DUP2, lock, 100),
            (os.POSIX_SPAWN_DUP2, image, 4),
            (os.POSIX_SPAWN_DUP2, 100, 3),
            (os.POSIX_SPAWN_CLOSE, 100),
        ]
        environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        argv = [sys.executable, "-I", "-S", "-B", str(_MONITOR)]
        pid = os.posix_spawn(argv[0], argv, environment, file_actions=actions, setsid=True)
    except OSError:
        os.close(order_write)
        os.close(bell_read)
        raise
    finally:
        os.close(order_read)
        os.close(bell_write)
    return Monitor(pid, order_write, bell_read)


def send_order(monitor: Monitor, launch: list[str], order: Mapping[str, Any]) -> None:
    """Give the monitor its order; from now on it owns the run. Raises ``OSError`` if it has ended."""
    data = "\0".join(launch).encode() + b"\n" + json.dumps(order).encode() + b"\n"
    while data:
        data = data[os.write(monitor.order, data) :]
    os.close(monitor.order)


def discard(monitor: Monitor) -> None:
    """End a monitor that has no order: it ends by itself once it sees that none will come."""
    os.close(monitor.order)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(monitor.pid, 0)
    os.close(monitor.bell)


def is_alive(folder: RunFolder) -> bool:
    """Return True while a monitor, or a supervisor that is launching one, holds the run."""
    try:
        lock = os.open(folder.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Query the lock without taking it: a process that wants to start the run now would see our try as a lock.
        answer = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, _WRITE_LOCK)
    finally:
        os.close(lock)
    return bool(struct.unpack_from("h", answer)[0] != fcntl.F_UNLCK)


def stop(folder: RunFolder) -> bool:
    """Ask the monitor to kill the container, and wait up to 5 s until both have ended; return whether they have."""
    until = time.monotonic() + _STOP_SECONDS
    while is_alive(folder) and time.monotonic() < until:
        pid = _monitor_pid(folder)
        if pid is None:  # the supervisor has not passed the lock on yet
            time.sleep(0.005)
            continue
        with contextlib.suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                # The lock is still held now that we have pinned the process, so the number is the monitor's.
                if is_alive(folder):
                    signal.pidfd_send_signal(handle, signal.SIGTERM)
                    _wait_end(handle, until)
            finally:
                os.close(handle)
    return not is_alive(folder)


def bury(folder: RunFolder, cgroups: Cgroups | None, binary: str | None, cause: str, message: str) -> None:
    """End a run whose monitor is gone or does not obey: kill the rest, then write the exit file.

    Call it with the run's lock, or after ``stop`` has given up. Cause and message become the reason of the step.
    """
    pid = _monitor_pid(folder)
    launchers = _launchers(folder)
    for number in ([pid] if pid is not None and is_alive(folder) else []) + launchers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    if cgroups is not None:
        cgroups.kill(folder.name)
        cgroups.remove(folder.name)
    if binary is not None and folder.state.exists():
        # Rootless runs have no control group: the runtime knows its first process and checks when that started.
        command = [binary, "--root", str(folder.state), "delete", "--force", folder.name]
        subprocess.run(command, capture_output=True, check=False, timeout=30)
    if not folder.exit.exists():
        write_whole(folder.exit, {"cause": cause, "message": message, "ended": time.time()})


def write_whole(path: Path, value: object) -> None:
    """Write JSON so that it appears completely or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(value), "utf-8")
    draft.rename(path)


def _monitor_pid(folder: RunFolder) -> int | None:
    try:
        text = folder.lock.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _launchers(folder: RunFolder) -> list[int]:
    """Return OCI runtimes that are still starting this container: an orphan would finish that when nobody looks."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(folder.state) in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def _wait_end(handle: int, until: float) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(max(until - time.monotonic(), 0.0) * 1000)
