# ruff: noqa: PTH104, PTH106, PTH123
# pathlib would take longer to import than everything else here together.
"""The monitor of one container: a small process that outlives the supervisor.

Run by path with ``python -I -S -B``; it imports nothing of this package, so that it starts within milliseconds. It owns
what must not be lost when the supervisor is killed:

* the container's exit: it is the reaper (PR_SET_CHILD_SUBREAPER) and writes the facts to the exit file atomically;
* the log: container → pipe → append-only file, up to the cap, bytes as they come;
* the deadline, and the order to stop (SIGTERM).

It decides nothing: the exit file has the facts, and :mod:`insitu.adapters.runtime.oci.outcome` interprets them.

Descriptors: 0 the order (the launch command, separated by NUL, and a line of JSON; an early end of file means "never
mind"), 1 the supervisor's bell (a byte when the container has started, a byte when the exit is written), 3 the lock
that says "a monitor lives", 4 the lock that keeps the image here. JSON is imported after the launch, while the runtime
is busy anyway.
"""

from __future__ import annotations

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ORDER, BELL, LOCK, IMAGE = 0, 1, 3, 4
PR_SET_CHILD_SUBREAPER = 36
CHUNK = 1 << 16
LAUNCH_GRACE = 10.0
"""Seconds that an OCI runtime which is still starting the container has after the deadline to end."""


class Run:
    """The run of one container, from launch to exit."""

    def __init__(self) -> None:
        self.order: dict[str, Any] = {}
        self.cause: str | None = None
        self.killed = False
        self.launcher = 0
        self.launch_status: int | None = None
        self.pid = 0
        self.ends: dict[int, tuple[int, Any]] = {}
        self.held: list[int] = []
        self.started = self.ended = 0.0
        self.log = -1
        self.log_size = 0
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)

    def launch(self, argv: list[str]) -> None:
        """Start the OCI runtime; its output and the container's go to the log."""
        null = os.open("/dev/null", os.O_RDONLY)
        output = [(os.POSIX_SPAWN_DUP2, self.sink, 1), (os.POSIX_SPAWN_DUP2, self.sink, 2)]
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), *output]
        plain = [signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE]
        self.launcher = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions, setsigdef=plain)
        os.close(null)

    def kill(self, cause: str) -> None:
        """Kill the first process, which ends its PID namespace: everything in it, whatever signals it ignores."""
        self.cause = self.cause or cause
        if self.pid and self.pid not in self.ends and not self.killed:
            # A child of ours that is not reaped: it exists, and its number cannot belong to another process.
            os.kill(self.pid, signal.SIGKILL)
            self.killed = True

    def reap(self) -> bool:
        """Reap every child that has ended. Return True when the run is over."""
        while True:
            try:
                pid, status, rusage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return not self.launcher
            if pid == 0:
                break
            if pid == self.launcher:
                self.after_launch(os.waitstatus_to_exitcode(status))
            else:  # the container's first process, or a leftover of the runtime's start
                self.ends[pid] = (os.waitstatus_to_exitcode(status), rusage)
        if self.launcher:
            return False
        return self.pid in self.ends if self.pid else True

    def after_launch(self, status: int) -> None:
        """Go on after the OCI runtime ended: the algorithm runs, waits for its start, or could not be started."""
        self.launcher = 0
        self.launch_status = status
        if not self.pid:
            self.pid = int(text(self.order["pid_file"]) or 0)
        if self.cause or status != 0:
            self.kill("launch")
        elif self.order["start"] and not self.held:
            # Folders that vanish with the container's mounts are opened before it can run, so it cannot be faster.
            for folder in self.order["hold"]:
                self.held.append(os.open(f"/proc/{self.pid}/root{folder}", os.O_RDONLY | os.O_DIRECTORY))
            self.launch(self.order["start"])
        else:
            self.started = time.time()
            ring(b"s")

    def pump(self) -> bool:
        """Move what the pipe has into the log. Return False when the pipe is empty or at its end."""
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return False
        kept = data[: max(self.order["log_cap"] - self.log_size, 0)]
        while kept:
            kept = kept[os.write(self.log, kept) :]
        self.log_size += len(data)
        if self.log_size > self.order["log_cap"]:
            self.kill("log_cap")
        return bool(data)

    def run(self, wake: int, asked: list[int]) -> None:
        """Launch, pump, and wait until the container has ended and its log is complete."""
        poll = select.poll()
        poll.register(self.source, select.POLLIN)
        poll.register(wake, select.POLLIN)
        end = time.monotonic() + self.order["deadline"] - time.time()
        self.log = os.open(self.order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        while not self.reap():
            if asked:
                self.kill("stopped")
            left = end - time.monotonic()
            if left <= 0:
                self.kill("timeout")
            if left <= -LAUNCH_GRACE and self.launcher:
                os.kill(self.launcher, signal.SIGKILL)
            for descriptor, _ in poll.poll(1000 * (left if left > 0 else LAUNCH_GRACE)):
                if descriptor == self.source:
                    self.pump()
                else:
                    os.read(wake, CHUNK)
        self.ended = time.time()
        while self.pump():  # what was written before the end
            pass

    def facts(self) -> dict[str, Any]:
        """Return everything that can be known about the end, before the control group is removed."""
        status, rusage = self.ends.get(self.pid, (None, None))
        places = dict(zip(self.order["hold"], self.held, strict=True)) if self.held else self.order["volumes"]
        return {
            "cause": self.cause,
            "launch_status": self.launch_status,
            "status": status,
            "started": self.started or None,
            "ended": self.ended,
            "log_bytes": self.log_size,
            "cpu_seconds": rusage and rusage.ru_utime + rusage.ru_stime,
            "counters": {name: text(path) for name, path in self.order["counters"].items()},
            "volumes": {name: room(place) for name, place in places.items()},
        }

    def salvage(self) -> int | None:
        """Copy the volumes that end with this process to where files stay; return the exit status of the copy."""
        argv = self.order["salvage"]
        if not argv or not self.held:
            return None
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        actions = [(os.POSIX_SPAWN_DUP2, fd, 10 + place) for place, fd in enumerate(self.held)]
        child = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ring(note: bytes) -> None:
    """Wake the supervisor. If it is gone, the run goes on."""
    try:
        os.write(BELL, note)
    except OSError:
        return


def text(path: str) -> str | None:
    """Return the content of a counter; None if the kernel does not have it."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def room(place: str | int) -> dict[str, int] | None:
    """Return how full a volume is."""
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return {
        "block_bytes": found.f_frsize,
        "blocks": found.f_blocks,
        "blocks_free": found.f_bavail,
        "files_free": found.f_ffree,
    }


def remove_cgroups(folders: list[str]) -> None:
    """Remove the empty control groups; the kernel may need a moment after the last process has been reaped."""
    for folder in folders:
        for _ in range(100):
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.002)
            else:
                break


def write_whole(path: str, record: dict[str, Any]) -> None:
    """Write the whole file or nothing. No fsync: after a power failure nothing of the run exists anyway."""
    import json

    draft = path + ".draft"
    with open(draft, "w") as file:
        json.dump(record, file)
    os.rename(draft, path)


def read_order() -> tuple[bytes, bytes]:
    """Return the two parts of the order; empty if the supervisor ended before it had written them."""
    data = b""
    while data.count(b"\n") < 2:
        part = os.read(ORDER, CHUNK)
        if not part:
            return b"", b""
        data += part
    launch, rest = data.split(b"\n", 1)
    return launch, rest


def become_reaper() -> None:
    """Adopt the orphans of our children: the container's first process is one of them."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main() -> None:
    """Read the order, run the container, write what happened."""
    os.closerange(IMAGE + 1, 1 << 16)  # whatever the supervisor had inherited
    become_reaper()
    os.set_inheritable(LOCK, False)
    os.set_inheritable(IMAGE, False)
    os.ftruncate(LOCK, 0)
    os.pwrite(LOCK, b"%d\n" % os.getpid(), 0)
    asked: list[int] = []
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    run = Run()
    launch, rest = read_order()
    if not launch:
        return
    run.launch([part.decode() for part in launch.split(b"\0")])
    import json

    run.order = json.loads(rest)
    run.run(wake, asked)
    record = run.facts()
    remove_cgroups(run.order["cgroups"])
    record["salvage_status"] = run.salvage()
    write_whole(run.order["exit"], record)
    ring(b"e")


if __name__ == "__main__":
    main()
