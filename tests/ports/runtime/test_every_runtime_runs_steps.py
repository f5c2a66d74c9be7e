"""The contract of ports/runtime.py, over every adapter: starting, ending, seeing."""

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import StepKey, StepKind
from insitu.domain.plan import ImageReference
from tests.ports.runtime.runtime_place import LIMITED, SMALL, Place

HELLO = "print('hello', flush=True)\nopen('/mnt/output/result.txt', 'w').write('done')\n"
SLEEP = "import time\nprint('started', flush=True)\ntime.sleep(60)\n"


async def test_a_step_runs_once_however_often_it_is_ensured(place: Place) -> None:
    plan = place.plan("import os\nos.mkdir('/mnt/output/once')\n")
    await place.finish(plan, StepKind.CONFIGURE)
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(place.start, plan, StepKind.COMPUTE)
    status = await place.finish(plan, StepKind.COMPUTE)
    assert status.ok
    assert status.exit_code == 0


async def test_an_ended_step_is_not_started_again(place: Place) -> None:
    plan = place.plan("print('once')\n")
    await place.finish(plan, StepKind.CONFIGURE)
    first = await place.finish(plan, StepKind.COMPUTE)
    assert await place.finish(plan, StepKind.COMPUTE) == first


async def test_what_the_algorithm_prints_and_writes_is_kept(place: Place) -> None:
    ended = await place.compute(HELLO)
    assert ended.status.ok
    assert ended.log == "hello\n"
    assert ended.output == {"result.txt": b"done"}


async def test_a_running_step_is_seen_running(place: Place) -> None:
    plan = place.plan(SLEEP)
    await place.finish(plan, StepKind.CONFIGURE)
    key = await place.start(plan, StepKind.COMPUTE)
    status = (await place.runtime.observe(plan.workflow_execution_id))[key]
    assert status.state == "running"
    assert status.reason is None
    assert not status.ok


async def test_an_algorithm_that_fails_has_its_exit_code(place: Place) -> None:
    ended = await place.compute("import sys\nprint('no such column', file=sys.stderr)\nsys.exit(3)\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "AlgorithmFailed"
    assert ended.status.exit_code == 3
    assert "no such column" in ended.log


async def test_an_algorithm_that_a_signal_ends_says_which(place: Place) -> None:
    ended = await place.compute("import ctypes\nctypes.string_at(0)\n")
    assert ended.status.reason is not None
    assert ended.status.reason.code == "AlgorithmFailed"
    assert "SIGSEGV" in ended.status.reason.message
    assert ended.status.exit_code == 139


async def test_a_command_that_is_not_in_the_image_is_the_algorithms_fault(place: Place) -> None:
    ended = await place.compute(HELLO, argv=("no-such-programme",))
    assert ended.status.reason is not None
    assert ended.status.reason.code == "AlgorithmFailed"
    assert "no-such-programme" in ended.status.reason.message
    assert ended.status.exit_code == 127


async def test_an_image_that_is_not_here_ends_the_step_with_that_reason(place: Place) -> None:
    plan = place.plan(HELLO)
    missing = ImageReference(image="x", tag="y", digest="sha256:" + "0" * 64)
    plan = plan.model_copy(update={"stages": (plan.stages[0].model_copy(update={"image": missing}),)})
    await place.finish(plan, StepKind.CONFIGURE)
    status = await place.finish(plan, StepKind.COMPUTE)
    assert status.reason is not None
    assert status.reason.code == "ImageUnavailable"


async def test_an_image_that_is_not_here_is_known_before_anything_starts(place: Place) -> None:
    image = place.plan(HELLO).stages[0].image
    await place.runtime.require_image(image)
    for digest in ("sha256:" + "0" * 64, "sha256:no"):
        with pytest.raises(InsituError, match="ImageUnavailable"):
            await place.runtime.require_image(image.model_copy(update={"digest": digest}))
    assert await place.left() == []


async def test_a_deadline_kills_the_algorithm(place: Place) -> None:
    ended = await place.compute(SLEEP, seconds=4.0)  # enough to start on a busy machine
    assert ended.status.reason is not None
    assert ended.status.reason.code == "TimeLimitExceeded"
    assert ended.log == "started\n"


async def test_a_deadline_ends_a_pod(place: Place) -> None:
    place.configure_seconds = 30
    plan = place.plan(HELLO)
    status = await place.finish(plan, StepKind.CONFIGURE, seconds=0.2)
    assert status.reason is not None
    assert status.reason.code == "InfrastructureFailed"


async def test_what_a_pod_returns_or_raises_is_its_status(place: Place) -> None:
    plan = place.plan(HELLO)
    assert (await place.finish(plan, StepKind.CONFIGURE)).result == {"algorithm": ["main.py"]}
    place.configure_problem = InsituError("InputChanged", "flights.csv differs")
    status = await place.finish(place.plan(HELLO), StepKind.CONFIGURE)
    assert status.reason is not None
    assert (status.reason.code, status.reason.message) == ("InputChanged", "flights.csv differs")


@pytest.mark.filterwarnings("default")
async def test_a_defect_of_a_pod_ends_its_step_and_reveals_no_internals(place: Place) -> None:
    place.configure_problem = RuntimeError("secret path /srv/data")
    status = await place.finish(place.plan(HELLO), StepKind.CONFIGURE)
    assert status.reason is not None
    assert status.reason.code == "InfrastructureFailed"
    assert "secret" not in status.reason.message


async def test_a_change_wakes_everyone_who_waits_for_it(place: Place) -> None:
    plan = place.plan("print('quick')\n")
    await place.finish(plan, StepKind.CONFIGURE)
    key = await place.start(plan, StepKind.COMPUTE)
    with anyio.fail_after(20):
        while (await place.runtime.observe(plan.workflow_execution_id))[key].state == "running":
            await place.runtime.changed()


async def test_use_is_measured_and_the_limits_in_force_are_named(place: Place) -> None:
    source = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    source += "open('/mnt/output/x', 'wb').write(bytes(3 << 20))\n"
    usage = (await place.compute(source)).status.usage
    assert usage.wall_seconds is not None
    if not place.measures:
        assert {"cpuSeconds", "peakMemoryBytes", "outputBytes"} <= set(usage.unavailable)
        return
    assert usage.cpu_seconds is not None
    assert usage.cpu_seconds >= 0.2
    assert usage.wall_seconds > 0.2
    assert usage.output_bytes is not None
    assert usage.output_bytes >= 3 << 20
    assert set(usage.limits) >= {"memory", "cpu", "pids", "disk", "network", "syscalls"}
    if LIMITED:
        assert usage.peak_memory_bytes is not None
        assert usage.peak_memory_bytes > 1 << 20
    else:
        assert "peakMemoryBytes" in usage.unavailable


async def test_nothing_is_known_of_an_execution_that_was_never_here(place: Place) -> None:
    execution_id = place.plan(HELLO).workflow_execution_id
    assert await place.runtime.observe(execution_id) == {}
    assert execution_id not in await place.runtime.running()
    await place.runtime.kill(execution_id)
    await place.runtime.remove(execution_id)
    key = StepKey(StepKind.COMPUTE, 0, 1)
    assert [chunk async for chunk in place.runtime.logs(execution_id, key)] == []


async def test_the_probe_proves_the_seal(place: Place) -> None:
    found = await place.runtime.probe()
    assert found.refusals == ()
    assert found.runtime
    assert found.limits["network"] != "none"
    assert found.limits["syscalls"] != "none"
    assert found.limits["disk"] != "none"
    if LIMITED:
        assert found.limits["memory"] != "none"


async def test_a_log_over_its_cap_ends_the_step(place: Place) -> None:
    limits = SMALL.model_copy(update={"log_bytes": 64 << 10})
    ended = await place.compute("while True: print('x' * 1000)\n", limits=limits)
    assert ended.status.reason is not None
    assert ended.status.reason.code == "LogLimitExceeded"
    assert len(ended.log) == 64 << 10
