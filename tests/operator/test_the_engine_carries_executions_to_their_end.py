"""The engine on a scripted runtime: phases, retries, stops, queue, progress, hand-over, clean-up."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import anyio
import pytest

from insitu.adapters.clock import SystemClock
from insitu.domain.deadlines import Rules
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase, StepKey, StepKind, Transition
from insitu.domain.ids import AgreementId
from insitu.domain.plan import ExecutionPlan
from insitu.ports.peers import Capacity, ExecutionReport, LogKey
from insitu.ports.runtime import Enforcement
from tests.doubles.plans import AGREEMENT, LIMITS, plan_of, stage_of
from tests.doubles.recording_gateway import TICKET, RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator
from tests.doubles.scripted_runtime import Ending

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]
PUBLISHED = {"manifest": "aa" * 32, "files": 2, "bytes": 10, "outputRoot": "bb" * 32}
GOOD = {"0-publish-1": Ending(result=PUBLISHED), "1-publish-1": Ending(result=PUBLISHED)}
HELD = {"0-compute-1": Ending(held=True)}
COMPUTE = StepKey(StepKind.COMPUTE, 0, 1)


def plan(*, stages: int = 1, agreement: AgreementId = AGREEMENT, number: int = 0, **changes: object) -> ExecutionPlan:
    parts = [stage_of(0), *(stage_of(index, previous=index - 1) for index in range(1, stages))]
    limits = LIMITS.model_copy(update=changes)
    return plan_of(*parts, agreement=agreement, number=number, limits=limits, now=SystemClock().now())


async def run(operator: ScriptedOperator, wanted: ExecutionPlan) -> Execution:
    execution = await operator.service.register(registration_of(wanted))
    return await operator.until(execution.execution_id)


def report_of(execution: Execution, outcome: Transition) -> ExecutionReport:
    return ExecutionReport(
        plan=execution.plan,
        history=execution.history,
        records=execution.records,
        outcome=outcome,
        runtime="another",
        enforcement={},
    )


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110 - a test looks from outside, where nothing rings
        await anyio.sleep(0.005)


async def answer(value: bool) -> bool:
    return value


async def nothing_runs(operator: ScriptedOperator) -> bool:
    return not await operator.runtime.running()


def phases(execution: Execution) -> list[str]:
    return [each.phase.value for each in execution.history]


async def test_two_stages_from_registration_to_nothing_left(start: Start, gateway: RecordingGateway) -> None:
    async with start(GOOD) as operator:
        execution = await run(operator, plan(stages=2))
        assert await operator.runtime.running() == frozenset()
    one = execution.execution_id
    assert phases(execution) == [
        "Registered", "Configuring", "Executing", "Configuring", "Executing", "Reviewing", "Publishing", "Succeeded"
    ]  # fmt: skip
    assert operator.runtime.starts() == [
        f"{one} 0-configure-1 {{}}",
        f"{one} 0-compute-1 {{}}",
        f"{one} 1-configure-1 {{0: 1}}",
        f"{one} 1-compute-1 {{0: 1}}",
        f"{one} 1-publish-1 {{0: 1, 1: 1}}",
    ]
    report = gateway.report(one)
    assert report.published == PUBLISHED
    assert report.outcome.phase is Phase.SUCCEEDED
    assert report.runtime == "scripted"
    assert [record.stage for record in report.records] == [0, 1]
    assert await operator.executions.ticket(one) == ""


async def test_the_gateway_gets_every_transition_once_and_in_order(start: Start, gateway: RecordingGateway) -> None:
    async with start(HELD) as operator:
        execution = await operator.service.register(registration_of(plan()))
        one = execution.execution_id
        await operator.until(one, Phase.EXECUTING)
        await eventually(lambda: answer(len(gateway.reported(one)) == 3))
        operator.runtime.release(one, COMPUTE)
        await operator.until(one)
    sequences = [each.sequence for each in gateway.reported(one)]
    assert sequences == sorted(set(sequences))
    assert [each.phase for each in gateway.reported(one)[:3]] == [Phase.REGISTERED, Phase.CONFIGURING, Phase.EXECUTING]


async def test_a_gateway_that_takes_no_progress_stops_nothing(start: Start, gateway: RecordingGateway) -> None:
    gateway.broken = {"progress"}
    async with start(GOOD) as operator:
        assert (await run(operator, plan())).phase is Phase.SUCCEEDED


async def test_the_report_waits_for_a_gateway_that_is_away_and_the_infrastructure_does_not(
    start: Start, gateway: RecordingGateway
) -> None:
    gateway.broken = {"finish", "progress"}
    async with start(GOOD) as operator:
        execution = await operator.service.register(registration_of(plan()))
        await eventually(lambda: answer("finish" in gateway.calls))
        await eventually(lambda: nothing_runs(operator))
        waiting = await operator.service.status(AGREEMENT, execution.execution_id)
        assert not waiting.ended
        gateway.broken = set()
        assert (await operator.until(execution.execution_id)).phase is Phase.SUCCEEDED


async def test_an_outcome_that_the_gateway_froze_before_wins(start: Start, gateway: RecordingGateway) -> None:
    script = {"0-publish-1": Ending(held=True)}
    async with start(script) as operator:
        execution = await operator.service.register(registration_of(plan()))
        one = execution.execution_id
        present = await operator.until(one, Phase.PUBLISHING)
        earlier = present.history[-1].model_copy(update={"phase": Phase.FAILED, "sequence": 99})
        await gateway.finish(TICKET, report_of(present, earlier))
        operator.runtime.release(one, StepKey(StepKind.PUBLISH, 0, 1))
        final = await operator.until(one)
    assert final.phase is Phase.FAILED
    assert [each.sequence for each in final.history] == list(range(1, len(final.history) + 1))


@pytest.mark.parametrize(
    ("script", "code", "steps"),
    [
        ({"0-compute-1": Ending("AlgorithmFailed")}, "AlgorithmFailed", 2),
        ({"0-configure-1": Ending("InputChanged")}, "InputChanged", 1),
        ({"0-publish-1": Ending("OutputRejected")}, "OutputRejected", 3),
        ({"0-compute-1": Ending("Interrupted"), "0-compute-2": Ending("Interrupted")}, "Interrupted", 4),
    ],
)
async def test_a_failure_ends_with_its_reason_and_leaves_nothing(
    start: Start, gateway: RecordingGateway, script: dict[str, Ending], code: str, steps: int
) -> None:
    async with start(script) as operator:
        execution = await run(operator, plan())
        assert await operator.runtime.running() == frozenset()
    assert execution.phase is Phase.FAILED
    assert execution.reason is not None
    assert execution.reason.code == code
    assert len(operator.runtime.starts()) == steps
    assert gateway.report(execution.execution_id).published is None


@pytest.mark.parametrize("by", ["consumer", "owner", "provider"])
async def test_a_stop_kills_and_says_who(start: Start, gateway: RecordingGateway, by: str) -> None:
    async with start(HELD) as operator:
        execution = await operator.service.register(registration_of(plan()))
        await operator.until(execution.execution_id, Phase.EXECUTING)
        stopping = await operator.service.stop(AGREEMENT, execution.execution_id, by)  # type: ignore[arg-type]
        assert stopping.stop is not None
        final = await operator.until(execution.execution_id)
        assert await operator.service.stop(AGREEMENT, execution.execution_id, "owner") == final
    assert final.phase is Phase.STOPPED
    assert final.reason is not None
    assert final.reason.code == f"StoppedBy{by.capitalize()}"
    assert gateway.report(execution.execution_id).records[0].reason == final.reason


async def test_a_deadline_ends_what_runs_too_long(start: Start) -> None:
    async with start(HELD) as operator:
        execution = await run(operator, plan(max_execution_seconds=1))
    assert execution.reason is not None
    assert execution.reason.code == "TimeLimitExceeded"


async def test_a_runtime_that_cannot_recover_does_not_stop_the_deadlines(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insitu.operator.engine.engine.PATIENCE", 0.01)
    async with start(GOOD, rules=Rules(configure_seconds=1, kill_seconds=0)) as operator:
        operator.runtime.answer(broken={"running"})
        operator.runtime.kept = Enforcement("scripted", {})
        execution = await operator.service.register(registration_of(plan()))

        async def concluded() -> bool:
            return (await operator.service.status(AGREEMENT, execution.execution_id)).outcome is not None

        await eventually(concluded)
        assert operator.runtime.starts() == []
        operator.runtime.answer(broken=set())
        final = await operator.until(execution.execution_id)
    assert final.reason is not None
    assert final.reason.code == "InfrastructureFailed"


async def test_a_runtime_that_does_not_answer_for_a_while_costs_nothing(start: Start) -> None:
    async with start(GOOD) as operator:
        await anyio.wait_all_tasks_blocked()
        operator.runtime.answer(broken={"observe", "ensure", "running", "kill", "remove", "logs", "probe"})
        execution = await operator.service.register(registration_of(plan()))
        await operator.until(execution.execution_id, Phase.CONFIGURING)
        operator.runtime.answer(broken=set())
        assert (await operator.until(execution.execution_id)).phase is Phase.SUCCEEDED


async def test_what_cannot_be_removed_now_is_removed_later(start: Start) -> None:
    async with start(GOOD) as operator:
        operator.runtime.answer(broken={"remove"})
        execution = await operator.service.register(registration_of(plan()))
        final = await operator.until(execution.execution_id, Phase.SUCCEEDED)
        assert not final.cleaned
        operator.runtime.answer(broken=set())
        assert (await operator.until(execution.execution_id)).cleaned


async def test_a_defect_fails_its_execution_and_no_other(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    other = AgreementId("0c" * 32)
    async with start(GOOD) as operator:
        poison = plan().workflow_execution_id
        real = operator.runtime.ensure

        async def ensure(step):  # type: ignore[no-untyped-def]
            if step.plan.workflow_execution_id == poison:
                raise ZeroDivisionError
            await real(step)

        monkeypatch.setattr(operator.runtime, "ensure", ensure)
        await operator.service.register(registration_of(plan()))
        assert (await run(operator, plan(agreement=other))).phase is Phase.SUCCEEDED
        failed = await operator.until(poison)
    assert failed.reason is not None
    assert failed.reason.code == "InfrastructureFailed"
    assert "ZeroDivisionError" in failed.reason.message


async def test_a_runtime_that_cannot_be_understood_keeps_no_report_back(
    start: Start, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(HELD) as operator:
        execution = await operator.service.register(registration_of(plan()))
        await operator.until(execution.execution_id, Phase.EXECUTING)

        async def observe(_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(operator.runtime, "observe", observe)
        operator.engine.wake(execution.execution_id)
        await operator.until(execution.execution_id, Phase.FAILED)
    assert gateway.report(execution.execution_id).outcome.phase is Phase.FAILED


async def test_a_full_disk_keeps_neither_report_nor_clean_up_waiting(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(GOOD) as operator:
        real = operator.logs.finish

        async def finish(*arguments: Any) -> None:
            if await operator.runtime.running():
                raise InsituError("StorageFailed", "no space left on the device")
            await real(*arguments)

        monkeypatch.setattr(operator.logs, "finish", finish)
        monkeypatch.setattr("insitu.operator.engine.log_pump.DRAIN", timedelta(milliseconds=50))
        execution = await run(operator, plan())
        assert execution.phase is Phase.SUCCEEDED
        assert await operator.logs.finished(execution.execution_id, LogKey(stage=0, attempt=1))


async def test_the_queue_keeps_its_order_and_the_capacity_is_not_exceeded(start: Start) -> None:
    small = Capacity(cpu_millis=1000, memory_bytes=4 * 1024**3, disk_bytes=64 * 1024**3)
    agreements = [AgreementId(f"{number:02x}" * 32) for number in range(1, 6)]
    held = Ending(held=True)
    async with start({"0-compute-1": held}, capacity=small) as operator:
        ids = []
        for agreement in agreements:
            execution = await operator.service.register(registration_of(plan(agreement=agreement)))
            ids.append(execution.execution_id)
        for one in ids[:2]:
            await operator.until(one, Phase.EXECUTING)
        places = [await operator.service.position(a, one) for a, one in zip(agreements, ids, strict=True)]
        assert places == [0, 0, 1, 2, 3]
        await operator.service.stop(agreements[3], ids[3], "consumer")
        await operator.until(ids[3])
        assert await operator.service.position(agreements[4], ids[4]) == 2
        for one, following in zip(ids[:3], [ids[2], ids[4], None], strict=True):
            operator.runtime.release(one, COMPUTE)
            await operator.until(one)
            if following is not None:
                await operator.until(following, Phase.EXECUTING)
        operator.runtime.release(ids[4], COMPUTE)
        await operator.until(ids[4])
    assert [line.split()[0] for line in operator.runtime.starts() if "configure" in line] == [
        ids[0], ids[1], ids[2], ids[4]
    ]  # fmt: skip


async def test_waiting_for_capacity_has_an_end(start: Start) -> None:
    small = Capacity(cpu_millis=500, memory_bytes=4 * 1024**3, disk_bytes=64 * 1024**3)
    async with start(HELD, capacity=small, rules=Rules(queue_seconds=1)) as operator:
        first = await operator.service.register(registration_of(plan()))
        await operator.until(first.execution_id, Phase.EXECUTING)
        second = await run(operator, plan(agreement=AgreementId("0c" * 32)))
    assert second.reason is not None
    assert second.reason.code == "QueueTimeout"


async def test_what_belongs_to_nobody_is_swept_away(start: Start) -> None:
    async with start(GOOD, resync=timedelta(milliseconds=50)) as operator:
        execution = await run(operator, plan())
    async with start(GOOD, resync=timedelta(milliseconds=50)) as operator:
        stray = operator.runtime._folder / execution.execution_id
        stray.mkdir(parents=True)
        await eventually(lambda: nothing_runs(operator))


async def test_logs_are_copied_as_they_come_and_stay(start: Start) -> None:
    lines = tuple(b"line %d\n" % number for number in range(50))
    script = {"0-compute-1": Ending(log=lines, held=True)}
    key = LogKey(stage=0, attempt=1)
    async with start(script) as operator:
        execution = await operator.service.register(registration_of(plan()))
        one = execution.execution_id
        content = b""
        async for chunk in operator.service.logs(AGREEMENT, one, key, follow=True):
            content += chunk.data
            if content.endswith(b"line 49\n"):
                operator.runtime.release(one, COMPUTE)
        await operator.until(one)
        assert content == b"".join(lines)
        assert await operator.service.log_keys(AGREEMENT, one) == (key,)
        later = [chunk.data async for chunk in operator.service.logs(AGREEMENT, one, key, 7, follow=True)]
        assert b"".join(later) == content[7:]


async def test_a_log_that_never_begins_is_not_waited_for(start: Start) -> None:
    async with start(GOOD) as operator:
        execution = await operator.service.register(registration_of(plan()))
        never = LogKey(stage=0, attempt=2)
        assert [
            chunk async for chunk in operator.service.logs(AGREEMENT, execution.execution_id, never, follow=True)
        ] == []


async def test_logs_survive_a_log_store_that_fails_for_a_while(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"0-compute-1": Ending(log=(b"one\n", b"two\n"), held=True)}
    key = LogKey(stage=0, attempt=1)
    async with start(script) as operator:
        real, failures = operator.logs.append, [InsituError("StorageFailed"), InsituError("StorageFailed")]

        async def append(*arguments):  # type: ignore[no-untyped-def]
            if failures:
                raise failures.pop()
            return await real(*arguments)

        monkeypatch.setattr(operator.logs, "append", append)
        execution = await operator.service.register(registration_of(plan()))
        await operator.until(execution.execution_id, Phase.EXECUTING)

        async def copied() -> bool:
            return await operator.logs.size(execution.execution_id, key) == 8

        await eventually(copied)
        operator.runtime.release(execution.execution_id, COMPUTE)
        await operator.until(execution.execution_id)
    assert not failures
