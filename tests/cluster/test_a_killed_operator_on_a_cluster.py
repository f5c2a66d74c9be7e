"""SIGKILL of the operator's process in every phase: the pods go on, the next operator too, and all ends once."""

import signal
import sys
from collections.abc import Callable

import anyio
import pytest
from anyio import to_thread

from insitu.domain.execution import Phase
from insitu.domain.ids import ExecutionId
from tests.cluster.killed_operator import order_of
from tests.cluster.moments import NAP_LOG, PHASES, moment
from tests.cluster.provider import Provider, log_of
from tests.cluster.testbed.layout import ROOT

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]


@pytest.mark.parametrize("phase", PHASES)
async def test_a_kill_of_the_operator_changes_nothing(provider: Provider, phase: str) -> None:
    plan, _ = moment(provider, phase)
    execution_id = plan.workflow_execution_id
    command = [sys.executable, "-m", "tests.cluster.killed_operator", order_of(provider, plan)]
    async with await anyio.open_process(command, cwd=ROOT, stdout=None, stderr=None) as process:
        await reached(provider, execution_id, phase)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with provider.operator() as operator:
        provider.gateway.release()
        with anyio.fail_after(90):
            final = await operator.until(execution_id)
        assert await log_of(operator, final) == NAP_LOG
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert provider.result(final)["done.txt"] == "done"
    assert [(record.stage, record.attempt, record.reason) for record in final.records] == [(0, 1, None)]
    assert [each.phase for each in final.history].count(Phase.PUBLISHING) == 1
    assert provider.gateway.report(execution_id).outcome.phase is Phase.SUCCEEDED


async def reached(provider: Provider, execution_id: ExecutionId, phase: str) -> None:
    """Return when the execution is there, seen from outside."""
    if phase in ("configuring", "publishing"):
        with anyio.fail_after(60):
            await provider.gateway.reached["fetch" if phase == "configuring" else "put_output"].wait()
        return
    words = {
        "starting": ("get", "pod", f"{execution_id}-0-configure-1", "-o", "name"),
        "executing": ("logs", f"{execution_id}-0-compute-1"),
    }[phase]
    expected = {"starting": "pod/", "executing": "asleep"}[phase]
    await _until(
        lambda: expected in provider.access.kubectl(*words, f"--namespace={provider.namespace}", check=False).stdout
    )


async def _until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not await to_thread.run_sync(holds):  # noqa: ASYNC110 (looked at from outside, where nothing rings)
            await anyio.sleep(0.05)
