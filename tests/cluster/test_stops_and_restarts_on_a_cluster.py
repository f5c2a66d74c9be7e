"""Stopped or killed in any phase: nothing is lost, nothing happens twice, nothing is left."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from insitu.domain.execution import Execution, Phase
from insitu.domain.plan import ExecutionPlan
from insitu.testing.registrations import registration_of
from tests.cluster.provider import Operator, Provider, log_of, says

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

ASLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
NAP = "import time\nprint('asleep', flush=True)\ntime.sleep(4)\nopen('/mnt/output/done.txt', 'w').write('done')\n"

Reached = Callable[[Operator, Execution], Awaitable[None]]


def moment(provider: Provider, phase: str, source: str = NAP) -> tuple[ExecutionPlan, Reached]:
    """A plan, and a wait for the moment in which something is done to its execution."""
    plan = provider.plan(provider.stage(0, source, provider.fetched(1, "a.txt", "one")))
    if phase == "executing":

        async def executing(operator: Operator, execution: Execution) -> None:
            await says(operator, execution, b"asleep")

        return plan, executing
    if phase in ("configuring", "publishing"):
        event = provider.gateway.hold("fetch" if phase == "configuring" else "put_output")

        async def held(operator: Operator, execution: Execution) -> None:
            await event.wait()

        return plan, held

    async def at_once(operator: Operator, execution: Execution) -> None:
        await operator.until(execution.execution_id, Phase.CONFIGURING)

    return plan, at_once


@pytest.mark.parametrize("phase", ["starting", "configuring", "executing", "publishing"])
async def test_a_stop_ends_everything(provider: Provider, phase: str) -> None:
    plan, reached = moment(provider, phase, ASLEEP if phase == "executing" else NAP)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
        with anyio.fail_after(60):
            await operator.service.stop(execution.agreement_id, execution.execution_id, "consumer")
            final = await operator.until(execution.execution_id)
        assert await operator.runtime.running() == frozenset()
        if phase == "executing":
            assert await log_of(operator, execution) == "asleep\n"
    assert final.reason is not None
    assert (final.phase, final.reason.code) == (Phase.STOPPED, "StoppedByConsumer")
    assert provider.gateway.report(execution.execution_id).published is None


@pytest.mark.parametrize("phase", ["starting", "configuring", "executing", "publishing"])
async def test_a_restart_of_the_operator_changes_nothing(provider: Provider, phase: str) -> None:
    plan, reached = moment(provider, phase)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
    async with provider.operator() as operator:
        provider.gateway.release()
        with anyio.fail_after(90):
            final = await operator.until(execution.execution_id)
        assert await log_of(operator, final) == "asleep\n"
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert provider.result(final)["done.txt"] == "done"
    assert [(record.stage, record.attempt, record.reason) for record in final.records] == [(0, 1, None)]
    assert provider.gateway.calls.count("finish") == 1
