"""A runtime that runs nothing: steps end as a script says. Its state is in a folder, so it survives its process.

It keeps the contract of :class:`insitu.ports.runtime.Runtime`: a step is started once, however often it is requested;
what ran when the process was killed is ``Interrupted`` after the next :meth:`ScriptedRuntime.recover`.
"""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue
from typing_extensions import override

from insitu.domain.errors import InsituError
from insitu.domain.execution import Reason, StepKey, StepKind, StepStatus
from insitu.domain.ids import ExecutionId
from insitu.domain.plan import ImageReference
from insitu.ports.clock import Clock
from insitu.ports.runtime import Enforcement, LogChunk, LogShare, Runtime, Step

__all__ = ["Ending", "ScriptedRuntime"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ends.

    Attributes
    ----------
    code
        Of the reason; None ends well.
    log
        Chunks that a compute step writes first.
    held
        The step runs until it is killed or released, or its deadline comes.
    """

    code: str | None = None
    log: tuple[bytes, ...] = ()
    held: bool = False
    result: Mapping[str, JsonValue] = field(default_factory=dict)


class ScriptedRuntime(Runtime):
    """Steps by script: ``script["0-compute-1"]`` says how that one ends; what is not in it ends well at once.

    ``broken`` names methods that raise, as they do where the infrastructure does not answer. ``kept`` is the proof
    that another process made. ``shares`` is what each execution's last step was given of its log budget.
    """

    def __init__(
        self, folder: Path, clock: Clock, tasks: TaskGroup, script: Mapping[str, Ending] | None = None
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._tasks = tasks
        self.script = dict(script or {})
        self.broken: set[str] = set()
        self.refusals: tuple[str, ...] = ()
        self.kept: Enforcement | None = None
        self.missing_images: set[str] = set()
        self.probes = 0
        self.shares: dict[ExecutionId, LogShare] = {}
        self._bell = anyio.Event()
        self._changed = anyio.Event()
        self._ends: dict[Path, anyio.Event] = {}

    @override
    async def require_image(self, image: ImageReference) -> None:
        if image.digest in self.missing_images:
            raise InsituError("ImageUnavailable", f"no image {image.digest} is here")

    @override
    async def ensure(self, step: Step) -> None:
        self._check("ensure")
        path = self._path(step.plan.workflow_execution_id, step.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Exactly one caller creates it; a real runtime has the container's name for that.
            with path.open("x", encoding="utf-8") as file:
                file.write(StepStatus(state="running", started_at=self._clock.now()).model_dump_json(by_alias=True))
        except FileExistsError:
            return
        with (self._folder / "starts").open("a", encoding="utf-8") as starts:
            starts.write(f"{step.plan.workflow_execution_id} {step.key} {dict(step.attempts)}\n")
        self.shares[step.plan.workflow_execution_id] = step.logs
        self._ends.setdefault(path, anyio.Event())
        self._tasks.start_soon(self._run, path, step)

    @override
    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        self._check("observe")
        folder = self._folder / execution_id
        if not folder.exists():
            return {}
        return {_key(path): StepStatus.model_validate_json(path.read_text("utf-8")) for path in folder.glob("*.json")}

    @override
    async def running(self) -> frozenset[ExecutionId]:
        self._check("running")
        if not self._folder.exists():
            return frozenset()
        return frozenset(ExecutionId(path.name) for path in self._folder.iterdir() if path.is_dir())

    @override
    async def logs(self, execution_id: ExecutionId, key: StepKey, offset: int = 0) -> AsyncIterator[LogChunk]:
        self._check("logs")
        path = self._path(execution_id, key)
        while True:
            bell = self._bell
            ended = not path.exists() or _status(path).state == "ended"
            data = _log(path).read_bytes()[offset:] if _log(path).exists() else b""
            if data:
                yield LogChunk(offset, data)
                offset += len(data)
            if ended:
                return
            await bell.wait()

    @override
    async def kill(self, execution_id: ExecutionId) -> None:
        self._check("kill")
        for key in await self.observe(execution_id):
            self._end(self._path(execution_id, key), "Interrupted", {})

    @override
    async def remove(self, execution_id: ExecutionId) -> None:
        await self.kill(execution_id)
        self._check("remove")
        shutil.rmtree(self._folder / execution_id, ignore_errors=True)

    @override
    async def changed(self) -> None:
        await self._changed.wait()
        self._changed = anyio.Event()

    @override
    async def recover(self) -> None:
        for execution_id in await self.running():
            for key in await self.observe(execution_id):
                self._end(self._path(execution_id, key), "Interrupted", {})

    @override
    async def proof(self) -> Enforcement | None:
        return self.kept

    @override
    async def probe(self) -> Enforcement:
        self._check("probe")
        self.probes += 1
        return Enforcement(runtime="scripted", limits={"memory": "none"}, refusals=self.refusals)

    def release(self, execution_id: ExecutionId, key: StepKey) -> None:
        """Let a held step end as its script says, also one that has not started."""
        self._ends.setdefault(self._path(execution_id, key), anyio.Event()).set()

    def starts(self) -> list[str]:
        """Every start of a step so far, in order: ``<execution> <step> <attempts that count>``."""
        path = self._folder / "starts"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def answer(self, *, broken: set[str]) -> None:
        """Break these methods and repair the others."""
        self.broken = broken
        self._ring()

    async def _run(self, path: Path, step: Step) -> None:
        ending = self.script.get(str(step.key), Ending())
        for chunk in ending.log:
            with _log(path).open("ab") as file:
                file.write(chunk)
            self._ring()
            await anyio.lowlevel.checkpoint()
        if ending.held and not await self._held(path, step.deadline):
            late = "TimeLimitExceeded" if step.key.kind is StepKind.COMPUTE else "InfrastructureFailed"
            self._end(path, late, {})
        self._end(path, ending.code, ending.result)

    async def _held(self, path: Path, deadline: datetime) -> bool:
        async with anyio.create_task_group() as tasks:

            async def alarm() -> None:
                await self._clock.sleep_until(deadline)
                tasks.cancel_scope.cancel()

            tasks.start_soon(alarm)
            await self._ends[path].wait()
            tasks.cancel_scope.cancel()
        return self._ends[path].is_set()

    def _end(self, path: Path, code: str | None, result: Mapping[str, JsonValue]) -> None:
        """End a step that runs; one that has ended stays as it is."""
        if not path.exists() or (status := _status(path)).state == "ended":
            return
        reason = None if code is None else Reason(code=code, message=f"so says the script of {path.stem}")
        changes = {
            "state": "ended",
            "reason": reason,
            "ended_at": self._clock.now(),
            "exit_code": 1 if code == "AlgorithmFailed" else 0,
            "result": dict(result),
        }
        fresh = path.with_suffix(".new")
        fresh.write_text(status.model_copy(update=changes).model_dump_json(by_alias=True), "utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - atomic on purpose
        if path in self._ends:
            self._ends[path].set()
        self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, anyio.Event()
        bell.set()
        self._changed.set()

    def _check(self, method: str) -> None:
        if method in self.broken:
            raise InsituError("InfrastructureFailed", f"{method} does not answer")

    def _path(self, execution_id: ExecutionId, key: StepKey) -> Path:
        return self._folder / execution_id / f"{key}.json"


def _status(path: Path) -> StepStatus:
    return StepStatus.model_validate_json(path.read_text("utf-8"))


def _log(path: Path) -> Path:
    return path.with_suffix(".log")


def _key(path: Path) -> StepKey:
    stage, kind, attempt = path.stem.split("-")
    return StepKey(StepKind(kind), int(stage), int(attempt))
