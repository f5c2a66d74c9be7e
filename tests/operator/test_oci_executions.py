"""The operator with the sealed runner: real containers next to real files, from registration to nothing left."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from insitu.adapters.clock import SystemClock
from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from insitu.adapters.runtime.oci.runner import OciRuntime
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, Usage
from insitu.domain.plan import (
    ExecutionPlan,
    Fetch,
    ImageReference,
    InputFile,
    Limits,
    Mount,
    StageInput,
    StagePlan,
    Transformation,
)
from insitu.pods.configure import Configure
from insitu.pods.publish import Publish
from insitu.ports.peers import LogKey
from tests.doubles.plans import AGREEMENT, RULES, plan_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import RunningOperator, running_operator
from tests.ports.runtime.runtime_place import nothing_left

pytestmark = [pytest.mark.needs("linux", "oci", "filesystems", "root", "cgroups"), pytest.mark.slow]

LIMITS = Limits(
    server_id="small",
    cpu_millis=1000,
    memory_bytes=96 << 20,
    disk_bytes=16 << 20,
    pids=64,
    log_bytes=1 << 20,
    max_execution_seconds=60,
)

COUNT = """
import os, pathlib, sys
given = dict(argument.removeprefix("--").split("=", 1) for argument in sys.argv[1:])
lines = []
for name, volume in sorted(given.items()):
    if name.startswith("input"):
        for file in sorted(path for path in pathlib.Path(volume).rglob("*") if path.is_file()):
            words = len(file.read_text().split())
            lines.append(f"{name} {file.relative_to(volume)} {words}")
            print("counted", name, flush=True)
nested = pathlib.Path(given["output"]) / "deep" / "er"
nested.mkdir(parents=True)
(nested / "counts.txt").write_text("\\n".join(lines) + "\\n")
(pathlib.Path(given["logs"]) / "steps.log").write_text("counted\\n")
"""
SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
SLEEP_ONCE = """
import pathlib, sys, time
print("asleep", flush=True)
time.sleep(1.5)
(pathlib.Path("/mnt/output") / "done.txt").write_text("done")
"""


@dataclass
class Provider:
    """A machine with data, an image, and a gateway that has the algorithms."""

    root: Path
    images: ImageStore
    image: StoredImage
    gateway: RecordingGateway
    sources: dict[str, bytes] = field(default_factory=dict)

    def mounted(self, position: int, name: str, content: str) -> StageInput:
        """A data set of one file that is mounted in place."""
        path = self.root / "data" / f"{position}-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        source = Mount(path=str(path), root=str(self.root / "data"))
        return self._data_set(position, InputFile(index=0, name=name, source=source))

    def fetched(self, position: int, name: str, content: str) -> StageInput:
        """A data set of one file that is fetched."""
        reference = f"data-{position}"
        self.gateway.files[reference] = content.encode()
        return self._data_set(position, InputFile(index=0, name=name, source=Fetch(reference=reference)))

    def _data_set(self, position: int, file: InputFile) -> StageInput:
        did = "did:nv:" + f"{position:064x}"
        return StageInput(index=position * 10, position=position, did=did, files=(file,))

    def stage(self, index: int, source: str, *inputs: StageInput) -> StagePlan:
        """A stage that runs the source on the inputs."""
        reference, content = f"code-{index}", source.encode()
        self.gateway.files[reference] = content
        sha256 = hashlib.sha256(content).hexdigest()
        file = InputFile(index=0, name="main.py", source=Fetch(reference=reference), sha256=sha256, size=len(content))
        arguments = [f"--input{each.position}=/mnt/volume{each.position}" for each in inputs]
        return StagePlan(
            index=index,
            image=ImageReference(image=self.image.name, tag=self.image.tag, digest=self.image.digest),
            argv=("python", "-I", "-S", "-B", "main.py", *arguments, "--output=/mnt/output", "--logs=/mnt/logs"),
            inputs=inputs,
            transformation=Transformation(did="did:nv:" + f"a{index:063x}", files=(file,)),
        )

    def plan(self, *stages: StagePlan, **limits: int) -> ExecutionPlan:
        output = RULES.model_copy(update={"max_bytes": 8 << 20})
        return plan_of(*stages, limits=LIMITS.model_copy(update=limits), output=output, now=SystemClock().now())

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[RunningOperator[OciRuntime]]:
        """Start the operator; at the end of the block it leaves behind what runs, like a killed process."""
        runtime = OciRuntime(
            runs=self.root / "runs",
            images=self.images,
            configure=Configure(self.gateway),
            publish=Publish(self.gateway),
        )
        async with running_operator(self.root / "operator", self.gateway, lambda _tasks, _clock: runtime) as operator:
            try:
                yield operator
            finally:
                await runtime.aclose()

    async def run(self, plan: ExecutionPlan) -> Execution:
        async with self.operator() as operator:
            execution = await operator.service.register(registration_of(plan))
            return await operator.until(execution.execution_id)

    def result(self, execution: Execution) -> dict[str, str]:
        """The published files by path."""
        assert execution.published is not None
        manifest = json.loads(self.gateway.blob(str(execution.published["manifest"])))
        return {file["path"]: self.gateway.blob(file["sha256"]).decode() for file in manifest}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
async def image(images: ImageStore) -> StoredImage:
    return await images.build_from_host([], "insitu/python", "test")


@pytest.fixture
async def provider(tmp_path: Path, images: ImageStore, image: StoredImage) -> AsyncIterator[Provider]:
    yield Provider(tmp_path, images, image, RecordingGateway(tmp_path / "gateway"))
    assert await nothing_left(tmp_path) == []


async def log_of(operator: RunningOperator[OciRuntime], execution: Execution, attempt: int = 1) -> str:
    key = LogKey(stage=0, attempt=attempt)
    chunks = operator.service.logs(AGREEMENT, execution.execution_id, key, follow=True)
    return b"".join([chunk.data async for chunk in chunks]).decode()


async def asleep(operator: RunningOperator[OciRuntime], execution: Execution) -> None:
    """Return once the algorithm runs: its first line arrives through the live log."""
    key = LogKey(stage=0, attempt=1)
    async for chunk in operator.service.logs(AGREEMENT, execution.execution_id, key, follow=True):
        if b"asleep" in chunk.data:
            return


async def test_two_stages_two_inputs_a_nested_output_and_logs(provider: Provider) -> None:
    first = provider.stage(
        0, COUNT, provider.mounted(1, "a.txt", "one two three"), provider.fetched(2, "b.txt", "four five")
    )
    second = provider.stage(1, COUNT, StageInput(index=0, position=1, previous_stage=0))
    execution = await provider.run(provider.plan(first, second))
    assert execution.phase is Phase.SUCCEEDED, execution.reason
    assert provider.result(execution) == {
        "deep/er/counts.txt": "input1 deep/er/counts.txt 6\n",
        "logs/stage-0/console.log": "counted input1\ncounted input2\n",
        "logs/stage-0/steps.log": "counted\n",
        "logs/stage-1/console.log": "counted input1\n",
        "logs/stage-1/steps.log": "counted\n",
    }
    report = provider.gateway.report(execution.execution_id)
    assert report.enforcement["memory"] == "cgroup"
    for record in report.records:
        assert record.exit_code == 0
        assert record.usage != Usage()
        assert record.configured["algorithm"] == {"0": hashlib.sha256(COUNT.encode()).hexdigest()}


async def test_eleven_inputs_arrive_in_order(provider: Provider) -> None:
    show = "import sys\nfor a in sys.argv[1:12]:\n print(a.split('=')[0], open(a.split('=')[1] + '/name.txt').read())\n"
    inputs = [
        (provider.mounted if position % 2 else provider.fetched)(position, "name.txt", f"data set {position}")
        for position in range(1, 12)
    ]
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(provider.plan(provider.stage(0, show, *inputs))))
        log = await log_of(operator, execution)
        await operator.until(execution.execution_id)
    assert log.splitlines() == [f"--input{position} data set {position}" for position in range(1, 12)]


async def test_a_stop_ends_the_algorithm_and_keeps_its_log(provider: Provider) -> None:
    async with provider.operator() as operator:
        plan = provider.plan(provider.stage(0, SLEEP, provider.mounted(1, "a.txt", "x")))
        execution = await operator.service.register(registration_of(plan))
        await asleep(operator, execution)
        await operator.service.stop(AGREEMENT, execution.execution_id, "owner")
        final = await operator.until(execution.execution_id)
        assert await operator.runtime.running() == frozenset()
        assert await log_of(operator, execution) == "asleep\n"
    assert (final.phase, final.reason and final.reason.code) == (Phase.STOPPED, "StoppedByOwner")
    assert final.records[0].usage.cpu_seconds is not None
    assert provider.gateway.report(execution.execution_id).published is None


async def test_the_time_limit_ends_the_algorithm(provider: Provider) -> None:
    stage = provider.stage(0, SLEEP, provider.mounted(1, "a.txt", "x"))
    execution = await provider.run(provider.plan(stage, max_execution_seconds=1))
    assert (execution.phase, execution.reason and execution.reason.code) == (Phase.FAILED, "TimeLimitExceeded")


async def test_the_memory_limit_ends_the_algorithm(provider: Provider) -> None:
    stage = provider.stage(0, "held = bytearray(1 << 30)\n", provider.mounted(1, "a.txt", "x"))
    execution = await provider.run(provider.plan(stage))
    assert (execution.phase, execution.reason and execution.reason.code) == (Phase.FAILED, "MemoryLimitExceeded")


async def test_a_failed_algorithm_publishes_nothing_and_keeps_its_log(provider: Provider) -> None:
    async with provider.operator() as operator:
        stage = provider.stage(0, "raise SystemExit('no such column')\n", provider.mounted(1, "a.txt", "x"))
        execution = await operator.service.register(registration_of(provider.plan(stage)))
        final = await operator.until(execution.execution_id)
        assert await log_of(operator, execution) == "no such column\n"
    assert (final.phase, final.reason and final.reason.code) == (Phase.FAILED, "AlgorithmFailed")
    assert final.records[0].exit_code == 1
    assert "put_output" not in provider.gateway.calls


async def test_an_output_with_a_link_leaves_nothing(provider: Provider) -> None:
    link = "import os\nopen('/mnt/output/a.txt', 'w').write('a')\nos.symlink('/mnt/volume1/a.txt', '/mnt/output/b')\n"
    execution = await provider.run(provider.plan(provider.stage(0, link, provider.mounted(1, "a.txt", "x"))))
    assert (execution.phase, execution.reason and execution.reason.code) == (Phase.FAILED, "OutputRejected")
    assert "put_output" not in provider.gateway.calls


async def test_an_input_that_the_sandbox_cannot_open_says_what_helps(provider: Provider) -> None:
    data = provider.mounted(1, "secret.txt", "x")
    (provider.root / "data" / "1-secret.txt").chmod(0o600)
    execution = await provider.run(provider.plan(provider.stage(0, COUNT, data)))
    assert execution.reason is not None
    assert execution.reason.code == "InputUnreadable"
    assert "chmod" in execution.reason.message
    assert not [each for each in execution.history if each.phase is Phase.EXECUTING]


async def test_an_input_that_was_changed_since_it_was_published_is_not_computed_on(provider: Provider) -> None:
    data = provider.mounted(1, "a.txt", "changed")
    (file,) = data.files
    data = data.model_copy(update={"files": (file.model_copy(update={"sha256": "00" * 32}),)})
    execution = await provider.run(provider.plan(provider.stage(0, COUNT, data)))
    assert (execution.phase, execution.reason and execution.reason.code) == (Phase.FAILED, "InputChanged")


async def test_a_restart_runs_the_stage_again_on_fresh_volumes(provider: Provider) -> None:
    plan = provider.plan(provider.stage(0, SLEEP_ONCE, provider.mounted(1, "a.txt", "x")))
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await asleep(operator, execution)
    async with provider.operator() as operator:
        with anyio.fail_after(60):
            final = await operator.until(execution.execution_id)
        logs = [await log_of(operator, final, attempt) for attempt in (1, 2)]
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert [(record.attempt, record.reason and record.reason.code) for record in final.records] == [
        (1, "Interrupted"),
        (2, None),
    ]
    assert logs == ["asleep\n", "asleep\n"]
    assert provider.result(final)["done.txt"] == "done"


async def test_an_image_that_is_not_here_says_so(provider: Provider) -> None:
    stage = provider.stage(0, COUNT, provider.mounted(1, "a.txt", "x"))
    absent = stage.image.model_copy(update={"digest": "sha256:" + "00" * 32})
    plan = provider.plan(stage.model_copy(update={"image": absent}))
    async with provider.operator() as operator:
        with pytest.raises(InsituError, match="ImageUnavailable"):
            await operator.service.register(registration_of(plan))


async def test_the_operator_refuses_if_nothing_seals(provider: Provider) -> None:
    async with running_operator(
        provider.root / "operator",
        provider.gateway,
        lambda _tasks, _clock: OciRuntime(
            runs=provider.root / "runs",
            images=provider.images,
            configure=Configure(provider.gateway),
            publish=Publish(provider.gateway),
            runtimes=("no-such-runtime",),
        ),
    ) as operator:
        with pytest.raises(InsituError, match="RuntimeUnavailable: no-such-runtime is not installed"):
            await operator.service.register(
                registration_of(provider.plan(provider.stage(0, COUNT, provider.mounted(1, "a.txt", "x"))))
            )
