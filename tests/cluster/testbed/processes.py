"""The processes of the cluster: started detached, found again by pid and start time, ended by pid and nothing else."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster.testbed.layout import Layout, NodeAddress

READY_SECONDS = 60.0
STOP_SECONDS = 15.0


class NotReadyError(RuntimeError):
    """A process ended, or did not become ready in time; the message ends with the tail of its log."""


class Processes:
    """Starts and ends what the cluster consists of."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        node: NodeAddress | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        """Start ``command`` detached unless it runs; its output goes to ``logs/<name>.log``."""
        if self.running(name):
            return
        self._layout.logs.mkdir(parents=True, exist_ok=True)
        self._layout.pids.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        if node is not None and node.namespace is not None:
            # ip netns exec would mount another /sys and hide the control groups from the node.
            words = ["nsenter", f"--net=/run/netns/{node.namespace}", *words]
        with self._log(name).open("ab") as log:
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )
        _CHILDREN[child.pid] = child
        (self._layout.pids / name).write_text(f"{child.pid} {_started(child.pid)}\n")

    def wait(self, name: str, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Return once ``ready`` says so. Raises ``NotReadyError``."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running(name) or time.monotonic() > deadline:
                raise NotReadyError(f"{name} is not ready:\n{self.tail(name)}")
            time.sleep(0.05)

    def pid(self, name: str) -> int | None:
        """Return the process id, or None where that process is gone."""
        try:
            pid, started = (self._layout.pids / name).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if _started(int(pid)) == started else None

    def running(self, name: str) -> bool:
        """Tell whether the process that was started under this name still runs."""
        return self.pid(name) is not None

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process, if it runs."""
        pid = self.pid(name)
        if pid is not None:
            os.kill(pid, number)

    def stop(self, name: str) -> None:
        """End the process: ask, then kill; returns when it is gone."""
        self.kill(name, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.running(name):
            if time.monotonic() > deadline:
                self.kill(name)
            time.sleep(0.05)
        _reap()
        (self._layout.pids / name).unlink(missing_ok=True)

    def names(self) -> tuple[str, ...]:
        """Return the names of everything that was started and not stopped."""
        folder = self._layout.pids
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the end of the process's log."""
        path = self._log(name)
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def _log(self, name: str) -> Path:
        return self._layout.logs / f"{name}.log"


_CHILDREN: "dict[int, subprocess.Popen[bytes]]" = {}
"""What this very process started: it is the one that has to take note of their end."""


def _reap() -> None:
    for pid in [pid for pid, child in _CHILDREN.items() if child.poll() is not None]:
        del _CHILDREN[pid]


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks; empty where it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
