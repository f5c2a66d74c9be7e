"""A place where tests run algorithms: a runtime adapter, an image, data, and the two pods that tests need."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from insitu.adapters.runtime.oci.linux import mounts_below
from insitu.adapters.runtime.oci.probe import cgroups_of
from insitu.adapters.runtime.oci.runner import OciRuntime
from insitu.domain.execution import StepKey, StepKind, StepStatus
from insitu.domain.ids import Address, AgreementId, ExecutionId, workflow_execution_id
from insitu.domain.plan import (
    ExecutionPlan,
    FileSource,
    ImageReference,
    InputFile,
    Limits,
    Mount,
    OutputRules,
    StageInput,
    StagePlan,
    Transformation,
)
from insitu.ports.pods import Workspace
from insitu.ports.runtime import LogShare, Runtime, Step
from tests.parts import missing

AGREEMENT = AgreementId("ab" * 32)
SMALL = Limits(
    server_id="small",
    cpu_millis=1000,
    memory_bytes=128 << 20,
    disk_bytes=16 << 20,
    pids=64,
    log_bytes=1 << 20,
    max_execution_seconds=60,
)
PYTHON = ("python", "-I", "-S", "-B", "main.py")
OCI = pytest.param("oci", marks=pytest.mark.needs("linux", "oci", "filesystems"))
KUBERNETES = pytest.param("kubernetes", marks=pytest.mark.needs("cluster", "root"))


def only_oci(reason: str) -> pytest.MarkDecorator:
    """For what a cluster cannot promise; the reason is shown if the suite runs on one."""
    on_a_cluster = pytest.param("kubernetes", marks=[*KUBERNETES.marks, pytest.mark.skip(reason=reason)])
    return pytest.mark.parametrize("adapter", [OCI, on_a_cluster], indirect=True)


AS_ROOT = os.geteuid() == 0
LIMITED = missing("cgroups") is None
"""Whether control groups limit memory, processor and processes here."""


@dataclass
class Ended:
    """How a compute step ended, and what it left."""

    status: StepStatus
    log: str
    output: Mapping[str, bytes]


@dataclass
class Place:
    """One runtime adapter under test, and everything around it: here the sealed runner of one machine.

    Attributes
    ----------
    start_seconds
        What a deadline needs on top until the algorithm's first instruction.
    measures
        Whether the infrastructure tells what an algorithm used.
    goes_on
        Whether steps outlive the process that started them.
    """

    start_seconds: ClassVar[float] = 0.0
    measures: ClassVar[bool] = True
    goes_on: ClassVar[bool] = False

    root: Path
    image: StoredImage
    images: ImageStore
    sources: dict[ExecutionId, Mapping[str, str]] = field(default_factory=dict)
    published: dict[ExecutionId, Workspace] = field(default_factory=dict)
    configure_problem: Exception | None = None
    configure_seconds: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        self.runtime: Runtime = self.another_runtime()

    def another_runtime(self) -> Runtime:
        """A runtime that knows nothing but names: what a restarted process has."""
        return OciRuntime(
            runs=self.root / "runs",
            images=self.images,
            configure=self.configure,
            publish=self.publish,
            allow_unlimited=not LIMITED,
        )

    async def configure(self, step: Step, workspace: Workspace) -> dict[str, Any]:
        await anyio.sleep(self.configure_seconds)
        if self.configure_problem is not None:
            raise self.configure_problem
        sources = self.sources[step.plan.workflow_execution_id]
        for name, source in sources.items():
            stage, _, file = name.rpartition(":")
            if stage in ("", str(step.key.stage)):
                (workspace.algorithm / file).write_text(source)
        return {"algorithm": sorted(sources)}

    async def publish(self, step: Step, workspace: Workspace) -> dict[str, Any]:
        self.published[step.plan.workflow_execution_id] = workspace
        return {"stages": sorted(workspace.outputs)}

    def plan(
        self,
        source: str | Mapping[str, str],
        *,
        argv: tuple[str, ...] = PYTHON,
        inputs: tuple[StageInput, ...] = (),
        limits: Limits = SMALL,
        stages: int = 1,
    ) -> ExecutionPlan:
        """A plan of one stage (or several of the same form, each reading the output of the one before)."""
        self.count += 1
        execution_id = workflow_execution_id(AGREEMENT, self.count)
        self.sources[execution_id] = {"main.py": source} if isinstance(source, str) else source
        now = datetime.now(UTC)
        return ExecutionPlan(
            service_agreement_id=AGREEMENT,
            workflow_execution_id=execution_id,
            number=self.count,
            consumer=Address("0x" + "00" * 20),
            did="did:nv:" + "1" * 64,
            workflow_did="did:nv:" + "2" * 64,
            workflow_checksum="3" * 64,
            stages=tuple(self._stage(index, argv, inputs) for index in range(stages)),
            limits=limits,
            output=OutputRules(max_bytes=1 << 20, max_files=100),
            published_stages=(stages - 1,),
            start_before=now + timedelta(hours=1),
            finish_by=now + timedelta(hours=2),
        )

    def _stage(self, index: int, argv: tuple[str, ...], inputs: tuple[StageInput, ...]) -> StagePlan:
        if index > 0:
            inputs = (StageInput(index=0, position=1, previous_stage=index - 1),)
        image = self.image
        return StagePlan(
            index=index,
            image=ImageReference(image=image.name, tag=image.tag, digest=image.digest),
            argv=argv,
            inputs=inputs,
            transformation=Transformation(did="did:nv:" + "4" * 64, files=()),
        )

    def data_set(self, position: int, files: Mapping[str, str]) -> StageInput:
        """A data set whose files are at the provider, each mounted under its own name."""
        folder = self.root / "data" / str(position)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content)
        sources = (
            InputFile(index=index, name=name, source=self.in_place(folder / name)) for index, name in enumerate(files)
        )
        return StageInput(index=position - 1, position=position, did="did:nv:" + "5" * 64, files=tuple(sources))

    def in_place(self, path: Path) -> FileSource:
        """How a plan names a file or folder of the provider's data."""
        return Mount(path=str(path), root=str(self.root / "data"))

    def folder_input(self, path: Path, position: int = 1) -> StageInput:
        """A folder at the provider that is the whole volume."""
        file = InputFile(index=0, name="", source=self.in_place(path))
        return StageInput(index=position - 1, position=position, did="did:nv:" + "6" * 64, files=(file,))

    async def start(
        self,
        plan: ExecutionPlan,
        kind: StepKind,
        stage: int = 0,
        attempt: int = 1,
        *,
        seconds: float = 30.0,
        attempts: Mapping[int, int] | None = None,
    ) -> StepKey:
        """Ensure a step; the deadline is ``seconds`` from now."""
        key = StepKey(kind, stage, attempt)
        deadline = datetime.now(UTC) + timedelta(seconds=seconds + self.start_seconds)
        logs = LogShare(dict.fromkeys(attempts or {}, plan.limits.log_bytes), plan.limits.log_bytes)
        await self.runtime.ensure(Step(key, plan, attempts or {}, "ticket", deadline, logs))
        return key

    async def end_of(self, plan: ExecutionPlan, key: StepKey) -> StepStatus:
        """Wait for the end of a step."""
        with anyio.fail_after(60):
            while True:
                status = (await self.runtime.observe(plan.workflow_execution_id))[key]
                if status.state == "ended":
                    return status
                with anyio.move_on_after(1):
                    await self.runtime.changed()

    async def finish(self, plan: ExecutionPlan, kind: StepKind, stage: int = 0, **more: Any) -> StepStatus:
        """Ensure a step and wait for its end."""
        return await self.end_of(plan, await self.start(plan, kind, stage, **more))

    async def compute(self, source: str | Mapping[str, str], *, seconds: float = 30.0, **plan: Any) -> Ended:
        """Configure and compute one stage; return how it ended and what it left."""
        made = self.plan(source, **plan)
        configured = await self.finish(made, StepKind.CONFIGURE)
        assert configured.ok, configured
        key = await self.start(made, StepKind.COMPUTE, seconds=seconds)
        status = await self.end_of(made, key)
        return Ended(status, await self.log(made, key), await self.output(made))

    async def log(self, plan: ExecutionPlan, key: StepKey) -> str:
        """The whole captured output of a compute step, once it has ended."""
        chunks = [chunk.data async for chunk in self.runtime.logs(plan.workflow_execution_id, key)]
        return b"".join(chunks).decode("utf-8", "replace")

    async def output(self, plan: ExecutionPlan, stage: int = 0, attempt: int = 1) -> dict[str, bytes]:
        """The plain files that a stage has written, by path; none if its container could not be made."""
        status = await self.finish(plan, StepKind.PUBLISH, stage, attempts={stage: attempt})
        if not status.ok:
            return {}
        folder = self.published[plan.workflow_execution_id].outputs[stage].output
        files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.stat().st_size < 1 << 20}

    async def clean(self) -> None:
        """Remove whatever is left, and let go."""
        for execution_id in await self.runtime.running():
            await self.runtime.remove(execution_id)
        await self.let_go(self.runtime)

    async def let_go(self, runtime: Runtime) -> None:
        """Stop what a runtime does in this process; what it started goes on."""
        assert isinstance(runtime, OciRuntime)
        await runtime.aclose()

    async def left(self) -> list[str]:
        """What is left of any execution."""
        return await nothing_left(self.root)


def left_behind(root: Path) -> list[str]:
    """What a test must not leave: mounts, control groups, loop devices, containers."""
    found = [f"mount {point}" for point in mounts_below(root)]
    groups = cgroups_of(root / "runs")
    if groups is not None:
        found += [f"control group {name}" for name in groups.names()]
        found += [f"base {h.mount / groups.base}" for h in groups.hierarchies if (h.mount / groups.base).exists()]
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(OSError):  # a neighbour's, which has just been freed
            if str(root) in backing.read_text():
                found.append(f"loop device {backing}")
    return found


async def nothing_left(root: Path) -> list[str]:
    """As ``left_behind``; the kernel frees a loop device a moment after its last user is gone."""
    until = time.monotonic() + 3
    while (found := left_behind(root)) and time.monotonic() < until:  # noqa: ASYNC110 (the kernel sets no event)
        await anyio.sleep(0.02)
    return found
