"""The contract of ports/runtime.py: logs, kill, remove, recover."""

from datetime import UTC, datetime, timedelta

import anyio

from insitu.domain.execution import StepKey, StepKind
from insitu.domain.plan import ExecutionPlan
from insitu.ports.runtime import Step
from tests.ports.runtime.runtime_place import Place

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("/mnt/output/partial", "w").write("half")
for _ in range(20):
    if os.fork() == 0:
        break
print("running", flush=True)
time.sleep(60)
"""
COMPUTE = StepKey(StepKind.COMPUTE, 0, 1)


async def log_until(place: Place, plan: ExecutionPlan, text: bytes, key: StepKey = COMPUTE) -> None:
    seen = b""
    with anyio.fail_after(20):
        async for chunk in place.runtime.logs(plan.workflow_execution_id, key):
            seen += chunk.data
            if text in seen:
                return
    raise AssertionError(f"the log ended without {text!r}: {seen!r}")


async def running(place: Place, source: str = STUBBORN) -> ExecutionPlan:
    plan = place.plan(source)
    await place.finish(plan, StepKind.CONFIGURE)
    await place.start(plan, StepKind.COMPUTE)
    await log_until(place, plan, b"running")
    return plan


async def test_a_log_is_followed_while_it_is_written(place: Place) -> None:
    # It prints until somebody ends it, however late the reader comes.
    source = "import itertools, time\nfor n in itertools.count():\n    print(n, flush=True)\n    time.sleep(0.05)\n"
    plan = place.plan(source)
    await place.finish(plan, StepKind.CONFIGURE)
    key = await place.start(plan, StepKind.COMPUTE)
    chunks = []
    async for chunk in place.runtime.logs(plan.workflow_execution_id, key):
        chunks.append(chunk)
        if len(chunks) == 3:
            await place.runtime.kill(plan.workflow_execution_id)
    log = b"".join(chunk.data for chunk in chunks)
    assert b"".join(b"%d\n" % n for n in range(len(log))).startswith(log)
    assert len(chunks) >= 3
    assert [chunk.offset for chunk in chunks] == [0, *(chunk.end for chunk in chunks[:-1])]


async def test_a_log_is_read_on_from_an_offset(place: Place) -> None:
    ended = await place.compute("print('0123456789')\n")
    execution_id = next(iter(await place.runtime.running()))
    assert ended.log == "0123456789\n"
    for offset in (0, 4, 11, 99):
        chunks = [chunk async for chunk in place.runtime.logs(execution_id, COMPUTE, offset)]
        assert b"".join(chunk.data for chunk in chunks) == b"0123456789\n"[offset:]


async def test_kill_ends_every_process_and_keeps_output_and_log(place: Place) -> None:
    plan = await running(place)
    await place.runtime.kill(plan.workflow_execution_id)
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    assert status.state == "ended"
    assert status.reason is not None
    assert status.reason.code == "Interrupted"
    assert await place.output(plan) == {"partial": b"half"}
    await log_until(place, plan, b"running")


async def test_kill_ends_a_pod(place: Place) -> None:
    place.configure_seconds = 30
    plan = place.plan("")
    key = await place.start(plan, StepKind.CONFIGURE)
    await place.runtime.kill(plan.workflow_execution_id)
    status = (await place.runtime.observe(plan.workflow_execution_id))[key]
    assert status.reason is not None
    assert status.reason.code == "Interrupted"


async def test_kill_reaches_a_container_that_is_just_being_started(place: Place) -> None:
    plan = place.plan(STUBBORN)
    await place.finish(plan, StepKind.CONFIGURE)
    await place.start(plan, StepKind.COMPUTE)
    await place.runtime.kill(plan.workflow_execution_id)
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    assert status.state == "ended"
    assert not status.ok


async def test_a_killed_step_does_not_start_again(place: Place) -> None:
    plan = await running(place)
    await place.runtime.kill(plan.workflow_execution_id)
    await place.start(plan, StepKind.COMPUTE)
    assert (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE].state == "ended"


async def test_remove_leaves_nothing_of_the_execution_and_everything_of_others(place: Place) -> None:
    plan, other = await running(place), await running(place)
    await place.runtime.remove(plan.workflow_execution_id)
    assert await place.runtime.running() == {other.workflow_execution_id}
    assert await place.runtime.observe(plan.workflow_execution_id) == {}
    assert (await place.runtime.observe(other.workflow_execution_id))[COMPUTE].state == "running"
    await place.runtime.remove(plan.workflow_execution_id)
    await place.runtime.remove(other.workflow_execution_id)
    assert await place.runtime.running() == frozenset()
    assert await place.left() == []


async def test_another_process_sees_and_ends_a_step_by_its_name(place: Place) -> None:
    plan = await running(place)
    other = place.another_runtime()
    assert (await other.observe(plan.workflow_execution_id))[COMPUTE].state == "running"
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    await other.ensure(Step(COMPUTE, plan, {}, "ticket", deadline))
    await other.kill(plan.workflow_execution_id)
    assert (await place.end_of(plan, COMPUTE)).state == "ended"
    await other.remove(plan.workflow_execution_id)
    await place.let_go(other)
    assert await place.runtime.running() == frozenset()


async def test_after_a_restart_what_ran_goes_on_or_was_interrupted_and_what_had_ended_keeps_its_end(
    place: Place,
) -> None:
    ended, plan = place.plan("print('fine')\n"), await running(place)
    await place.finish(ended, StepKind.CONFIGURE)
    before = await place.finish(ended, StepKind.COMPUTE)
    await place.let_go(place.runtime)
    place.runtime = place.another_runtime()
    await place.runtime.recover()
    assert (await place.runtime.observe(ended.workflow_execution_id))[COMPUTE] == before
    assert before.ok
    status = (await place.runtime.observe(plan.workflow_execution_id))[COMPUTE]
    if place.goes_on:
        assert status.state == "running"
        await place.runtime.kill(plan.workflow_execution_id)
        return
    assert status.reason is not None
    assert status.reason.code == "Interrupted"
    second = await place.start(plan, StepKind.CONFIGURE, attempt=2)
    assert (await place.end_of(plan, second)).ok
    retried = await place.start(plan, StepKind.COMPUTE, attempt=2)
    await log_until(place, plan, b"running", retried)


async def test_after_a_restart_a_pod_goes_on_or_was_interrupted(place: Place) -> None:
    place.configure_seconds = 3 if place.goes_on else 30
    plan = place.plan("")
    key = await place.start(plan, StepKind.CONFIGURE)
    other = place.another_runtime()
    await other.recover()
    status = (await other.observe(plan.workflow_execution_id))[key]
    if place.goes_on:
        assert status.state == "running"
        assert (await place.end_of(plan, key)).ok
    else:
        assert status.reason is not None
        assert status.reason.code == "Interrupted"
    await place.let_go(other)
