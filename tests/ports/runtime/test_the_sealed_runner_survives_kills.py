"""SIGKILL at any moment loses nothing and leaves nothing running forever: supervisor, monitor, container."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from insitu.adapters.runtime.oci.folders import Folders
from insitu.adapters.runtime.oci.linux import mount, unmount
from insitu.adapters.runtime.oci.process import RunFolder, discard, is_alive, launch_monitor, locked
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.plan import ExecutionPlan
from tests.ports.runtime.runtime_place import OCI, SMALL, Place

COMPUTE = StepKey(StepKind.COMPUTE, 0, 1)

pytestmark = [pytest.mark.usefixtures("adapter"), pytest.mark.parametrize("adapter", [OCI], indirect=True)]

# A supervisor in another process: it starts the step it is given, says so, and waits to be killed.
SUPERVISOR = """
import sys, anyio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from insitu.adapters.runtime.oci.images.store import ImageStore
from insitu.adapters.runtime.oci.runner import OciRuntime
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.plan import ExecutionPlan
from insitu.ports.runtime import Step

async def main(runs, images, plan, seconds):
    async def configure(step, workspace):
        (workspace.algorithm / "main.py").write_text(step.plan.stages[0].environment["SOURCE"])
        return {}
    runtime = OciRuntime(runs=Path(runs), images=ImageStore(Path(images)), configure=configure, publish=configure,
                         allow_unlimited=True)
    plan = ExecutionPlan.model_validate_json(plan)
    for kind in (StepKind.CONFIGURE, StepKind.COMPUTE):
        key = StepKey(kind, 0, 1)
        await runtime.ensure(Step(key, plan, {}, "ticket", datetime.now(UTC) + timedelta(seconds=float(seconds))))
        while kind is StepKind.CONFIGURE and (await runtime.observe(plan.workflow_execution_id))[key].state != "ended":
            await runtime.changed()
    print("started", flush=True)
    await anyio.sleep(60)

anyio.run(main, *sys.argv[1:])
"""


def run_folder(place: Place, plan: ExecutionPlan) -> RunFolder:
    return Folders(place.root / "runs").run(plan.workflow_execution_id, 0, 1)


async def killed_supervisor(place: Place, source: str, seconds: float = 30.0) -> ExecutionPlan:
    """Start an algorithm under a supervisor, then kill the supervisor with SIGKILL."""
    plan = place.plan("")
    stage = plan.stages[0].model_copy(update={"environment": {"SOURCE": source}})
    plan = plan.model_copy(update={"stages": (stage,)})
    images = place.images._root
    command = [sys.executable, "-c", SUPERVISOR, place.root / "runs", images, plan.model_dump_json(), str(seconds)]
    async with await anyio.open_process(command, stderr=None) as process:
        assert process.stdout is not None
        with anyio.fail_after(30):
            assert (await process.stdout.receive()).startswith(b"s")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return plan


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 (another process sets no event of ours)
            await anyio.sleep(0.01)


async def test_the_end_of_an_algorithm_is_not_lost_with_its_supervisor(place: Place) -> None:
    source = "import time\nprint('one', flush=True)\ntime.sleep(3)\nprint('two')\nraise SystemExit(7)\n"
    plan = await killed_supervisor(place, source)
    assert (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE].state == "running"
    await until(lambda: not is_alive(run_folder(place, plan)))
    await place.runtime.recover()
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    assert status.exit_code == 7
    assert status.reason is not None
    assert status.reason.code == "AlgorithmFailed"
    assert await place.log(plan, COMPUTE) == "one\ntwo\n"


async def test_limits_hold_while_nobody_supervises(place: Place) -> None:
    plan = await killed_supervisor(place, "import time\ntime.sleep(60)\n", seconds=4.0)
    status = await place.end_of(plan, COMPUTE)
    assert status.reason is not None
    assert status.reason.code == "TimeLimitExceeded"
    flood = await killed_supervisor(place, "import time\ntime.sleep(0.5)\nwhile True: print('x' * 999)\n")
    status = await place.end_of(flood, COMPUTE)
    assert status.reason is not None
    assert status.reason.code == "LogLimitExceeded"
    assert len(await place.log(flood, COMPUTE)) == SMALL.log_bytes


async def test_a_restart_after_a_kill_ends_what_runs_and_the_next_attempt_starts_fresh(place: Place) -> None:
    plan = await killed_supervisor(place, "import time\nprint('on', flush=True)\ntime.sleep(60)\n")
    await place.runtime.recover()
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    assert status.reason is not None
    assert status.reason.code == "Interrupted"
    place.sources[plan.workflow_execution_id] = {"main.py": "print('again')\n"}
    await place.finish(plan, StepKind.CONFIGURE, attempt=2)
    second = await place.start(plan, StepKind.COMPUTE, attempt=2)
    assert (await place.end_of(plan, second)).ok
    assert await place.log(plan, second) == "again\n"


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.02, 0.04, 0.08])
async def test_a_monitor_that_is_killed_takes_nothing_along_and_leaves_nothing_running(
    place: Place, moment: float
) -> None:
    plan = place.plan("import time\ntime.sleep(60)\n")
    await place.finish(plan, StepKind.CONFIGURE)
    await place.start(plan, StepKind.COMPUTE)
    folder = run_folder(place, plan)
    await until(lambda: folder.lock.read_text().strip())
    await anyio.sleep(moment)
    os.kill(int(folder.lock.read_text()), signal.SIGKILL)
    status = await place.end_of(plan, COMPUTE)
    assert status.reason is not None
    assert status.reason.code == "Interrupted"
    await place.runtime.remove(plan.workflow_execution_id)
    await until(lambda: not sleepers(folder))


def sleepers(folder: RunFolder) -> list[str]:
    """Processes whose root is in the run's image, or that belong to the run's OCI runtime."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder.path).encode() in b" ".join(words):
            found.append(process.name)
    return found


async def test_a_container_that_is_killed_from_outside_ends_its_step(place: Place) -> None:
    plan = place.plan("import time\nprint('on', flush=True)\ntime.sleep(60)\n")
    await place.finish(plan, StepKind.CONFIGURE)
    await place.start(plan, StepKind.COMPUTE)
    folder = run_folder(place, plan)
    async for chunk in place.runtime.logs(plan.workflow_execution_id, COMPUTE):
        assert chunk.data == b"on\n"
        os.kill(int(folder.pid.read_text()), signal.SIGKILL)
    status = await place.end_of(plan, COMPUTE)
    assert status.exit_code == 137
    assert status.reason is not None
    assert status.reason.code == "Interrupted", "nothing is the algorithm's fault"


async def test_a_supervisor_killed_between_preparing_and_ordering_starts_nothing(place: Place) -> None:
    plan = place.plan("open('/mnt/output/ran', 'w').close()\n")
    await place.finish(plan, StepKind.CONFIGURE)
    folder = run_folder(place, plan)
    folder.path.mkdir(parents=True)
    folder.run.write_text(json.dumps({"baseline": {}, "enforced": {}, "binary": "/usr/sbin/runc"}))
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    assert status.reason is not None
    assert status.reason.code == "Interrupted"
    assert (await place.finish(plan, StepKind.COMPUTE)).reason == status.reason


@pytest.mark.needs("root")
async def test_an_output_that_is_gone_does_not_pass_for_an_empty_one(place: Place) -> None:
    plan = place.plan("open('/mnt/output/x', 'w').close()\n")
    await place.finish(plan, StepKind.CONFIGURE)
    assert (await place.finish(plan, StepKind.COMPUTE)).ok
    unmount(run_folder(place, plan).path / "output")  # as after a restart of the machine
    status = await place.finish(plan, StepKind.PUBLISH, attempts={0: 1})
    assert status.reason is not None
    assert status.reason.code == "InfrastructureFailed"
    assert plan.workflow_execution_id not in place.published


@pytest.mark.needs("root")
async def test_a_probe_that_was_killed_is_swept_up_at_the_next_start(place: Place) -> None:
    folder = place.root / "runs" / ".probe-killed"
    (folder / "output").mkdir(parents=True)
    mount("none", folder / "output", "tmpfs", 0)
    await place.runtime.recover()
    assert not folder.exists()


async def test_a_half_written_exit_is_not_an_exit(place: Place) -> None:
    plan = place.plan("")
    folder = run_folder(place, plan)
    folder.path.mkdir(parents=True)
    (folder.path / "exit.json.draft").write_text('{"status": 0')
    assert await place.runtime.observe(plan.workflow_execution_id) == {}


def test_an_unordered_monitor_ends_by_itself(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", "in-x")
    with locked(folder) as lock:
        assert lock is not None
        image = os.open("/dev/null", os.O_RDONLY)
        monitor = launch_monitor(lock, image)
        os.close(image)
    assert is_alive(folder)
    discard(monitor)
    assert not is_alive(folder)
