"""Records and logs of ended executions are kept for a while and then deleted, even after an interruption."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import anyio
import pytest

from insitu.adapters.clock import SystemClock
from insitu.adapters.logs.files import FileLogs
from insitu.domain.errors import InsituError
from insitu.domain.execution import Execution, Phase
from insitu.domain.ids import AgreementId
from insitu.operator.engine import retention
from insitu.ports.peers import LogKey
from tests.doubles.plans import AGREEMENT, plan_of, stage_of
from tests.doubles.registrations import registration_of
from tests.doubles.scripted_operator import ScriptedOperator
from tests.doubles.scripted_runtime import Ending

Start = Callable[..., AbstractAsyncContextManager[ScriptedOperator]]
LONG_AGO, SOON = timedelta(0), timedelta(milliseconds=20)
OTHER = AgreementId("0c" * 32)
LOG = LogKey(stage=0, attempt=1)
PUBLISHED = {"manifest": "aa" * 32, "files": 2, "bytes": 10, "outputRoot": "bb" * 32}
SCRIPT = {"0-compute-1": Ending(log=(b"a line\n",)), "0-publish-1": Ending(result=PUBLISHED)}
HELD = {"0-compute-1": Ending(held=True)}


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE", SOON)


async def run(operator: ScriptedOperator, agreement: AgreementId = AGREEMENT) -> Execution:
    wanted = plan_of(stage_of(0), agreement=agreement, now=SystemClock().now())
    execution = await operator.service.register(registration_of(wanted))
    return await operator.until(execution.execution_id)


async def log_of(operator: ScriptedOperator, execution: Execution) -> bytes:
    chunks = operator.logs.read(execution.execution_id, LOG)
    return b"".join([chunk.data async for chunk in chunks])


async def forgotten(operator: ScriptedOperator, execution: Execution) -> None:
    with anyio.fail_after(20):
        while await operator.executions.get(execution.execution_id) is not None:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_an_execution_that_ended_long_ago_goes_with_its_logs(start: Start) -> None:
    async with start(SCRIPT) as operator:
        execution = await run(operator)
        assert await log_of(operator, execution) == b"a line\n"
    async with start(SCRIPT, retention=LONG_AGO) as operator:
        await forgotten(operator, execution)
        assert await operator.logs.keys(execution.execution_id) == ()
        with pytest.raises(InsituError, match="ExecutionUnknown"):
            await operator.service.log_keys(execution.agreement_id, execution.execution_id)
        assert (await run(operator, OTHER)).phase is Phase.SUCCEEDED


async def test_one_that_ended_a_moment_ago_stays(start: Start) -> None:
    async with start(SCRIPT) as operator:
        execution = await run(operator)
        await anyio.sleep(10 * SOON.total_seconds())
        assert await operator.executions.get(execution.execution_id) == execution
        assert await log_of(operator, execution) == b"a line\n"


async def test_one_that_has_work_left_stays_however_old_it_is(start: Start) -> None:
    async with start(SCRIPT) as operator:
        ended = await run(operator)
    async with start(HELD, retention=LONG_AGO) as operator:
        wanted = plan_of(stage_of(0), agreement=OTHER, now=SystemClock().now())
        live = await operator.service.register(registration_of(wanted))
        await operator.until(live.execution_id, Phase.EXECUTING)
        await forgotten(operator, ended)
        await anyio.sleep(5 * SOON.total_seconds())
        present = await operator.executions.get(live.execution_id)
        assert present is not None
        assert present.phase is Phase.EXECUTING


async def test_a_deletion_that_fails_half_way_is_done_with_the_next_regular_look(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(SCRIPT) as operator:
        execution = await run(operator)
    remove, refused = FileLogs.remove, anyio.Event()

    async def refuses(logs: FileLogs, execution_id: str) -> None:
        if not refused.is_set():
            refused.set()
            raise InsituError("StorageFailed", "the disk is away")
        await remove(logs, execution.execution_id)

    monkeypatch.setattr(FileLogs, "remove", refuses)
    monkeypatch.setattr(retention, "PAUSE", timedelta(hours=6))
    async with start(SCRIPT, retention=LONG_AGO, resync=SOON) as operator:
        await refused.wait()
        await forgotten(operator, execution)
        assert await operator.logs.keys(execution.execution_id) == ()
