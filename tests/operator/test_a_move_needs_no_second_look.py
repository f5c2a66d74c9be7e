"""Between the end of a step and the start of the next one, the engine looks once (ADR 0077)."""

from collections.abc import Mapping
from pathlib import Path

from typing_extensions import override

from insitu.adapters.clock import SystemClock
from insitu.domain.execution import Phase, StepKey, StepKind, StepStatus
from insitu.domain.execution_changes import stop_requested
from insitu.domain.ids import ExecutionId
from insitu.ports.runtime import Step
from tests.doubles.plans import plan_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import running_operator
from tests.doubles.scripted_operator import scripted_operator
from tests.doubles.scripted_runtime import Ending, ScriptedRuntime


class Watched(ScriptedRuntime):
    """Notes what each look saw as ended, and each start."""

    calls: list[frozenset[StepKey] | StepKey]

    @override
    async def observe(self, execution_id: ExecutionId) -> Mapping[StepKey, StepStatus]:
        found = await super().observe(execution_id)
        self.calls.append(frozenset(key for key, status in found.items() if status.state == "ended"))
        return found

    @override
    async def ensure(self, step: Step) -> None:
        self.calls.append(step.key)
        await super().ensure(step)


async def test_the_look_that_sees_an_end_starts_what_follows(tmp_path: Path) -> None:
    def watched(tasks: object, clock: object) -> Watched:
        made = Watched(tmp_path / "runtime", clock, tasks)  # type: ignore[arg-type]
        made.calls = []
        return made

    gateway = RecordingGateway(tmp_path / "gateway")
    async with running_operator(tmp_path / "operator", gateway, watched) as operator:
        execution = await operator.service.register(registration_of(plan_of()))
        final = await operator.until(execution.execution_id)
        calls = operator.runtime.calls
    assert final.phase is Phase.SUCCEEDED, final.reason
    for kind, following in ((StepKind.CONFIGURE, StepKind.COMPUTE), (StepKind.COMPUTE, StepKind.PUBLISH)):
        ended, started = StepKey(kind, 0, 1), StepKey(following, 0, 1)
        before = calls[: calls.index(started)]
        assert len([seen for seen in before if isinstance(seen, frozenset) and ended in seen]) == 1
    assert calls[0] == StepKey(StepKind.CONFIGURE, 0, 1), "the first step needs no look at all"


async def test_what_another_process_stored_is_seen_before_anything_else_is_stored(tmp_path: Path) -> None:
    gateway = RecordingGateway(tmp_path / "gateway")
    step = StepKey(StepKind.COMPUTE, 0, 1)
    async with scripted_operator(tmp_path / "operator", gateway, {str(step): Ending(held=True)}) as operator:
        execution = await operator.service.register(registration_of(plan_of()))
        executing = await operator.until(execution.execution_id, Phase.EXECUTING)
        stopping = stop_requested(executing, "owner", SystemClock().now())
        assert stopping is not None
        assert await operator.executions.replace(stopping), "and nothing tells the engine"
        operator.runtime.release(execution.execution_id, step)
        final = await operator.until(execution.execution_id)
    assert final.phase is Phase.STOPPED
    assert not [each for each in final.history if each.phase is Phase.PUBLISHING]
