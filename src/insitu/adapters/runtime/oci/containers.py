"""The blocking side of the runtime: compute steps as containers, known only by their folders."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from insitu.adapters.runtime.oci import linux
from insitu.adapters.runtime.oci.cgroups import Cgroups
from insitu.adapters.runtime.oci.folders import Folders, ended_now, execution_of
from insitu.adapters.runtime.oci.process import RunFolder, bury, locked, stop
from insitu.adapters.runtime.oci.trees import delete_tree
from insitu.domain.execution import StepKey, StepKind, StepStatus
from insitu.domain.ids import ExecutionId

_LOST = "the container's monitor ended without a record"


@dataclass(frozen=True, slots=True)
class Containers:
    """Containers of one data folder. Every method is blocking, idempotent, and works from names."""

    folders: Folders
    cgroups: Cgroups | None

    def refuse(self, execution_id: ExecutionId, key: StepKey, code: str, message: str) -> None:
        """Record that a step ended before its algorithm ran, and leave no process behind."""
        folder = self._run(execution_id, key)
        with locked(folder) as lock:
            if lock is None or folder.exit.exists():
                return
            self.folders.end(execution_id, key, ended_now(code, message))
            bury(folder, self.cgroups, _binary(folder), "lost", message)

    def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        """Return every step of the execution; bury a run that died without a record."""
        found = {}
        for key in self.folders.steps(execution_id):
            status = self.folders.status(execution_id, key)
            if status is None:
                status = self._bury_dead(execution_id, key)
            if status is not None:
                found[key] = status
        return found

    def kill(self, execution_id: ExecutionId, cause: str, message: str) -> None:
        """End every running container of the execution, through its monitor if that works, otherwise without."""
        for key in self._compute_steps(execution_id):
            folder = self._run(execution_id, key)
            if folder.exit.exists():
                continue
            if not stop(folder) or not folder.exit.exists():
                bury(folder, self.cgroups, _binary(folder), cause, message)

    def remove(self, execution_id: ExecutionId) -> None:
        """Delete mounts, control groups and folders of an execution whose steps have ended."""
        place = self.folders.execution(execution_id)
        for point in linux.mounts_below(place):
            linux.unmount(point)
        if self.cgroups is not None:
            names = {self._run(execution_id, key).name for key in self._compute_steps(execution_id)}
            for name in names | {name for name in self.cgroups.names() if execution_of(name) == execution_id}:
                self.cgroups.kill(name)
                self.cgroups.remove(name)
        delete_tree(place)

    def running(self) -> frozenset[ExecutionId]:
        """Return the executions that have a folder or a control group."""
        names = self.cgroups.names() if self.cgroups is not None else frozenset[str]()
        grouped = {found for name in names if (found := execution_of(name)) is not None}
        return self.folders.executions() | grouped

    def recover(self, execution_id: ExecutionId, message: str) -> None:
        """End what runs, and record that; a run that had ended by itself keeps its own record."""
        for key in self._compute_steps(execution_id):
            folder = self._run(execution_id, key)
            if folder.exit.exists():
                continue
            stop(folder)
            # A monitor that obeyed has written "stopped", but nobody wanted the algorithm to stop.
            if not folder.exit.exists() or _cause(folder) == "stopped":
                folder.exit.unlink(missing_ok=True)
                bury(folder, self.cgroups, _binary(folder), "lost", message)

    def _bury_dead(self, execution_id: ExecutionId, key: StepKey) -> StepStatus | None:
        folder = self._run(execution_id, key)
        if not folder.run.exists():
            return None  # not launched yet: still being prepared, or prepared by a process that was killed
        with locked(folder) as lock:
            if lock is not None and not folder.exit.exists():
                bury(folder, self.cgroups, _binary(folder), "lost", _LOST)
        return self.folders.status(execution_id, key)

    def _compute_steps(self, execution_id: ExecutionId) -> list[StepKey]:
        return [key for key in self.folders.steps(execution_id) if key.kind is StepKind.COMPUTE]

    def _run(self, execution_id: ExecutionId, key: StepKey) -> RunFolder:
        return self.folders.run(execution_id, key.stage, key.attempt)


def _binary(folder: RunFolder) -> str | None:
    """Return the OCI runtime that got the run."""
    with suppress(FileNotFoundError, ValueError):
        return str(json.loads(folder.run.read_text("utf-8"))["binary"])
    return None


def _cause(folder: RunFolder) -> str | None:
    with suppress(FileNotFoundError, ValueError):
        return str(json.loads(folder.exit.read_text("utf-8")).get("cause"))
    return None
