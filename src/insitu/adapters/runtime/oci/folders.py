"""Where a run is on this machine: ``<runs>/<execution>/<stage>-<kind>-<attempt>/``.

Statuses are files in that folder, so every process sees the same ones.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from insitu.adapters.runtime.oci.outcome import read_exit
from insitu.adapters.runtime.oci.process import RunFolder, is_alive, write_whole
from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason, StepKey, StepKind, StepStatus
from insitu.domain.ids import ExecutionId, read_execution_id

_CONTAINER = re.compile(r"in-(wx[a-z2-7]{26})-[0-9]+-[0-9]+")


def container_name(execution_id: ExecutionId, key: StepKey) -> str:
    """Return the deterministic name of a compute step's container and control group."""
    return f"in-{execution_id}-{key.stage}-{key.attempt}"


def execution_of(container: str) -> ExecutionId | None:
    """Return the execution that a container belongs to; None for a name that is not ours."""
    match = _CONTAINER.fullmatch(container)
    return ExecutionId(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Folders:
    """The runs of one data folder."""

    runs: Path

    def execution(self, execution_id: ExecutionId) -> Path:
        """Return the folder of an execution. Raises ``InvalidId`` for a name that could lead elsewhere."""
        return self.runs / read_execution_id(execution_id)

    def step(self, execution_id: ExecutionId, key: StepKey) -> Path:
        """Return the folder of a step."""
        return self.execution(execution_id) / str(key)

    def run(self, execution_id: ExecutionId, stage: int, attempt: int) -> RunFolder:
        """Return the folder of a compute step."""
        key = StepKey(StepKind.COMPUTE, stage, attempt)
        return RunFolder(self.step(execution_id, key), container_name(execution_id, key))

    def files(self, execution_id: ExecutionId, stage: int, attempt: int) -> Path:
        """Return the folder that configure makes for compute: ``fetched`` and ``algorithm``."""
        return self.execution(execution_id) / f"{stage}-files-{attempt}"

    def executions(self) -> frozenset[ExecutionId]:
        """Return the executions that have a folder here."""
        found = set()
        with suppress(FileNotFoundError):
            for path in self.runs.iterdir():
                with suppress(InsituError):
                    found.add(read_execution_id(path.name))
        return frozenset(found)

    def steps(self, execution_id: ExecutionId) -> Iterator[StepKey]:
        """Yield the steps that have begun."""
        with suppress(FileNotFoundError):
            for path in sorted(self.execution(execution_id).iterdir()):
                if (key := StepKey.read(path.name)) is not None:
                    yield key

    def begin(self, execution_id: ExecutionId, key: StepKey) -> bool:
        """Make a pod's folder; return False if it had begun before."""
        step = self.step(execution_id, key)
        step.mkdir(parents=True, exist_ok=True)
        if (step / "begun.json").exists():
            return False
        write_whole(step / "begun.json", {"at": datetime.now(UTC).isoformat()})
        return True

    def begun_at(self, execution_id: ExecutionId, key: StepKey) -> datetime | None:
        """Return when a pod began."""
        found = _read(self.step(execution_id, key) / "begun.json")
        return datetime.fromisoformat(found["at"]) if found else None

    def end(self, execution_id: ExecutionId, key: StepKey, status: StepStatus) -> None:
        """Store how a step ended, unless that is already known."""
        path = self.step(execution_id, key) / "status.json"
        if not path.exists():
            write_whole(path, status.model_dump(mode="json"))

    def status(self, execution_id: ExecutionId, key: StepKey) -> StepStatus | None:
        """Return what is known of a step; None for a compute step whose run ended without a record (bury it)."""
        ended = _read(self.step(execution_id, key) / "status.json")
        if ended is not None:
            return StepStatus.model_validate(ended)
        if key.kind is not StepKind.COMPUTE:
            return StepStatus(state="running", started_at=self.begun_at(execution_id, key))
        return self._container_status(self.run(execution_id, key.stage, key.attempt))

    def _container_status(self, folder: RunFolder) -> StepStatus | None:
        record = _read(folder.exit)
        if record is not None:
            return ended_status(folder, record)
        started = None
        with suppress(FileNotFoundError):
            started = datetime.fromtimestamp(folder.pid.stat().st_mtime, UTC)
        if is_alive(folder):
            return StepStatus(state="running", started_at=started)
        # The monitor may have written the record since we first looked.
        record = _read(folder.exit)
        return ended_status(folder, record) if record is not None else None


def ended_status(folder: RunFolder, record: Mapping[str, Any]) -> StepStatus:
    """Return how a container ended, from its folder."""
    run = _read(folder.run) or {}
    log = ""
    with suppress(OSError):
        log = folder.runtime_log.read_text("utf-8", "replace")[-4000:]
    return read_exit({**record, **run}, runtime_log=log, enforced=run.get("enforced", {}))


def ended_now(code: str, message: str, started: datetime | None = None) -> StepStatus:
    """Return the status of a step that ends now, with a reason."""
    reason = Reason(code=code, message=message)
    return StepStatus(state="ended", reason=reason, started_at=started, ended_at=datetime.now(UTC))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return value if isinstance(value, dict) else None
