"""Stopped, restarted or killed in any phase: nothing is lost, nothing happens twice, nothing is left."""

import anyio
import pytest

from insitu.domain.execution import Execution, Phase
from tests.cluster.moments import ASLEEP, NAP, NAP_LOG, PHASES, moment, silent_registry
from tests.cluster.provider import Operator, Provider, log_of, says
from tests.doubles.registrations import registration_of

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]


async def stopped(operator: Operator, execution: Execution) -> Execution:
    """Stop the execution; return its record once nothing of it is left."""
    with anyio.fail_after(60):
        await operator.service.stop(execution.agreement_id, execution.execution_id, "consumer")
        final = await operator.until(execution.execution_id)
    assert await operator.runtime.running() == frozenset()
    assert final.reason is not None
    assert (final.phase, final.reason.code) == (Phase.STOPPED, "StoppedByConsumer")
    return final


@pytest.mark.parametrize("phase", PHASES)
async def test_a_stop_ends_everything(provider: Provider, phase: str) -> None:
    plan, reached = moment(provider, phase, ASLEEP if phase == "executing" else NAP)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
        final = await stopped(operator, execution)
        if phase == "executing":
            assert await log_of(operator, execution) == "asleep\n"
    assert provider.gateway.report(final.execution_id).published is None


async def test_a_stop_ends_a_pull(provider: Provider) -> None:
    async with silent_registry(provider.access.host) as registry, provider.operator() as operator:
        stage = provider.stage(0, NAP, provider.fetched(1, "a.txt", "one"))
        image = stage.image.model_copy(update={"image": f"{registry.address}/insitu/python"})
        plan = provider.plan(stage.model_copy(update={"image": image}))
        execution = await operator.service.register(registration_of(plan))
        await registry.asked.wait()
        await stopped(operator, execution)


@pytest.mark.parametrize("phase", PHASES)
async def test_a_restart_of_the_operator_changes_nothing(provider: Provider, phase: str) -> None:
    plan, reached = moment(provider, phase)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
    async with provider.operator() as operator:
        provider.gateway.release()
        with anyio.fail_after(90):
            final = await operator.until(execution.execution_id)
        assert await log_of(operator, final) == NAP_LOG
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert provider.result(final)["done.txt"] == "done"
    assert [(record.stage, record.attempt, record.reason) for record in final.records] == [(0, 1, None)]
    assert provider.gateway.calls.count("finish") == 1


@pytest.mark.parametrize("phase", ["configuring", "executing", "publishing"])
async def test_a_pod_that_somebody_deletes_is_tried_again(provider: Provider, phase: str) -> None:
    plan, reached = moment(provider, phase)
    step = {"configuring": "configure", "executing": "compute", "publishing": "publish"}[phase]
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
        pod = f"{execution.execution_id}-0-{step}-1"
        provider.access.kubectl("delete", "pod", pod, f"--namespace={provider.namespace}", "--grace-period=1")
        provider.gateway.release()
        final = await operator.until(execution.execution_id)
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert provider.result(final)["done.txt"] == "done"
    again = [(each.phase, each.attempt) for each in final.history if each.reason and each.reason.code == "Interrupted"]
    assert again == [(Phase.PUBLISHING if step == "publish" else Phase.CONFIGURING, 2)]
    assert provider.gateway.calls.count("finish") == 1


async def test_a_pod_that_is_evicted_is_tried_again(provider: Provider) -> None:
    plan, reached = moment(provider, "executing")
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
        namespace, pod = provider.namespace, f"{execution.execution_id}-0-compute-1"
        eviction = f"""{{"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {{"name": "{pod}", "namespace": "{namespace}"}}}}"""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        provider.access.kubectl("create", "--raw", path, "-f", "-", stdin=eviction)
        await says(operator, execution, b"awake", attempt=2)
        final = await operator.until(execution.execution_id)
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert [(record.attempt, record.reason and record.reason.code) for record in final.records] == [
        (1, "Interrupted"),
        (2, None),
    ]
