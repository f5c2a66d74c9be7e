"""Log text is output: one budget for an execution, counted where the text leaves, and none after a rejection."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path

import anyio
import pytest

from insitu.adapters.clock import SystemClock
from insitu.adapters.executions.store import SQLITE, SqlExecutions
from insitu.adapters.logs.files import FileLogs
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.execution import Phase, StepKey, StepKind
from insitu.domain.plan import ExecutionPlan
from insitu.operator.service import OperatorService
from insitu.ports.peers import LogKey
from tests.doubles.plans import AGREEMENT, RULES, plan_of, stage_of
from tests.doubles.recording_gateway import RecordingGateway
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import CAPACITY, ScriptedOperator
from tests.doubles.scripted_runtime import Ending

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]

FIRST = LogKey(stage=0, attempt=1)
SECOND = LogKey(stage=1, attempt=1)
ROW = b"1969-07-20,patient 4711,170 cm,70 kg\n"
ROWS = ROW * 20_000
LIMITED = RULES.model_copy(update={"max_bytes": 1000, "max_log_bytes": 1000, "types": (".csv",)})
PUBLISH = StepKey(StepKind.PUBLISH, 0, 1)


def limited(*stages: int) -> ExecutionPlan:
    return plan_of(*(stage_of(index) for index in stages or (0,)), output=LIMITED)


async def read(service: OperatorService, key: LogKey = FIRST, offset: int = 0, *, counted: bool = True) -> bytes:
    execution_id = limited().workflow_execution_id
    chunks = service.logs(AGREEMENT, execution_id, key, offset, counted=counted)
    return b"".join([chunk.data async for chunk in chunks])


async def ended(operator: ScriptedOperator, plan: ExecutionPlan) -> None:
    await operator.service.register(registration_of(plan))
    await operator.until(plan.workflow_execution_id)


@pytest.mark.parametrize("end", ["OutputRejected", "AlgorithmFailed", None])
async def test_rows_that_are_printed_do_not_leave_beyond_the_budget(start: Start, end: str | None) -> None:
    failing = end == "AlgorithmFailed"
    script = {
        "0-compute-1": Ending("AlgorithmFailed" if failing else None, log=(ROWS,)),
        "0-publish-1": Ending(end, held=True),
    }
    async with start(script) as operator:
        service, execution_id = operator.service, limited().workflow_execution_id
        await service.register(registration_of(limited()))
        live = b"".join([chunk.data async for chunk in service.logs(AGREEMENT, execution_id, FIRST, follow=True)])
        assert len(live) == 1000
        operator.runtime.release(execution_id, PUBLISH)
        await operator.until(execution_id)
        assert len(await read(service)) == (0 if end == "OutputRejected" else 1000)
        assert await service.log_state(AGREEMENT, execution_id) == ("rejected" if end == "OutputRejected" else "spent")
        assert len(await read(service, counted=False)) == len(ROWS), "the provider sees all"


async def test_a_line_counts_once_however_often_it_is_read(start: Start) -> None:
    async with start({"0-compute-1": Ending("AlgorithmFailed", log=(b"x" * 600,))}) as operator:
        await ended(operator, limited())
        for _ in range(3):
            assert len(await read(operator.service)) == 600
            assert len(await read(operator.service, offset=500)) == 100
        assert await operator.service.log_state(AGREEMENT, limited().workflow_execution_id) == "open"


async def test_what_is_skipped_counts_and_nothing_comes_after_the_budget(start: Start) -> None:
    async with start({"0-compute-1": Ending("AlgorithmFailed", log=(ROWS,))}) as operator:
        await ended(operator, limited())
        assert await read(operator.service, offset=500_000) == b""
        assert await read(operator.service) == ROWS[:1000]
        assert await read(operator.service, offset=999) == ROWS[999:1000]


async def test_all_stages_and_attempts_share_one_budget(start: Start) -> None:
    script = {
        "0-compute-1": Ending("InfrastructureFailed", log=(b"a" * 300,)),
        "0-compute-2": Ending(log=(b"b" * 300,)),
        "1-compute-1": Ending("AlgorithmFailed", log=(b"c" * 900,)),
    }
    async with start(script) as operator:
        await ended(operator, limited(0, 1))
        keys = (FIRST, LogKey(stage=0, attempt=2), SECOND)
        assert [len(await read(operator.service, key)) for key in keys] == [300, 300, 400]
        assert await operator.service.log_state(AGREEMENT, limited().workflow_execution_id) == "spent"


async def test_many_readers_at_many_operators_get_no_more_than_one(start: Start, tmp_path: Path) -> None:
    script = {
        "0-compute-1": Ending(log=(b"a" * 900,)),
        "1-compute-1": Ending("AlgorithmFailed", log=(b"b" * 900,)),
    }
    async with start(script) as operator, SqliteDatabase(tmp_path / "operator/operator.db", SQLITE) as database:
        await ended(operator, limited(0, 1))
        other = OperatorService(
            executions=SqlExecutions(database),
            logs=FileLogs(tmp_path / "operator/logs", cap=10**6),
            engine=operator.engine,
            clock=SystemClock(),
            capacity=CAPACITY,
        )
        longest = {FIRST: 0, SECOND: 0}

        async def reader(number: int) -> None:
            key = (FIRST, SECOND)[number % 2]
            for offset in range(0, 1000, 90):
                content = await read((operator.service, other)[number // 2 % 2], key, offset)
                longest[key] = max(longest[key], offset + len(content) if content else 0)

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(reader, number)
        assert sum(longest.values()) <= 1000
        assert max(longest.values()) >= 500


async def test_what_was_shown_before_a_kill_is_counted_after_it(start: Start) -> None:
    script = {"0-compute-1": Ending("AlgorithmFailed", log=(b"a" * 700,))}
    async with start(script) as operator:
        await ended(operator, limited())
        execution_id = limited().workflow_execution_id
        chunks = operator.service.logs(AGREEMENT, execution_id, FIRST)
        async with aclosing(chunks):
            assert len((await anext(chunks)).data) == 700
            # The bytes have left; nothing can be done about them now.
    async with start(script) as operator:
        release = await operator.executions.release(execution_id, lambda _, release: release)
        assert release.total == 700


async def test_an_open_stream_brings_nothing_once_the_output_is_rejected(start: Start) -> None:
    script = {
        "0-compute-1": Ending(log=(b"first\n",)),
        "1-compute-1": Ending(log=(b"second\n",)),
        "1-publish-1": Ending("OutputRejected"),
    }
    plan = plan_of(stage_of(0), stage_of(1, previous=0), output=LIMITED)
    async with start(script) as operator:
        execution_id = plan.workflow_execution_id
        await operator.service.register(registration_of(plan))
        await operator.until(execution_id)
        late = [chunk async for chunk in operator.service.logs(AGREEMENT, execution_id, FIRST, follow=True)]
        assert late == []
        assert await read(operator.service, SECOND) == b""


async def test_while_a_result_is_collected_all_captured_text_that_fits_is_released(
    start: Start, gateway: RecordingGateway
) -> None:
    script = {
        "0-compute-1": Ending("InfrastructureFailed", log=(b"lost attempt\n",)),
        "0-compute-2": Ending(log=(b"counting attempt\n",)),
        "0-publish-1": Ending(held=True),
    }
    async with start(script) as operator:
        execution_id = limited().workflow_execution_id
        await operator.service.register(registration_of(limited()))
        await operator.until(execution_id, Phase.PUBLISHING)
        with anyio.fail_after(60):
            while True:
                if [line for line in operator.runtime.starts() if "0-publish-1" in line]:
                    break
                await anyio.sleep(0.01)
        release = await operator.executions.release(execution_id, lambda _, release: release)
        assert (release.end(0, 2), release.end(0, 1)) == (17, 13)
        assert release.files == 1000 - 17 - 13, "the files of the logs volumes get the rest"
        assert operator.runtime.shares[execution_id].consoles == {0: 17}
        operator.runtime.release(execution_id, PUBLISH)
        await operator.until(execution_id)
        assert await read(operator.service) == b"lost attempt\n"
    assert gateway.report(execution_id).released == 30


async def test_after_a_success_nothing_more_is_released(start: Start) -> None:
    script = {"0-compute-1": Ending(log=(b"a" * 1500,))}
    async with start(script) as operator:
        await ended(operator, limited())
        assert len(await read(operator.service)) == 1000
        release = await operator.executions.release(limited().workflow_execution_id, lambda _, release: release)
        assert (release.total, release.files) == (1000, 0)


@pytest.mark.parametrize("changes", [{"logs": "none"}, {"max_log_bytes": 0}])
async def test_if_logs_may_not_leave_the_operator_itself_gives_nothing(
    start: Start, changes: dict[str, object]
) -> None:
    plan = plan_of(output=LIMITED.model_copy(update=changes))
    async with start({"0-compute-1": Ending("AlgorithmFailed", log=(ROWS,))}) as operator:
        await ended(operator, plan)
        assert await read(operator.service) == b""
