"""Parts of the cluster die under an execution: it goes on, or is tried again, and ends once."""

import time
from collections.abc import AsyncIterator, Callable

import anyio
import pytest
from anyio import to_thread

from insitu.domain.execution import Phase
from tests.cluster.moments import NAP, NAP_LOG, PHASES, moment
from tests.cluster.provider import Provider, log_of, says
from tests.cluster.testbed import network
from tests.cluster.testbed.cluster import Cluster
from tests.cluster.testbed.layout import NODE1, NODE2
from tests.doubles.registrations import registration_of

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow, pytest.mark.thorough]

EVERYTHING = (
    "node1-kubelet",
    "node1-containerd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
)
PATIENT = ("node1-kubelet", "kube-controller-manager", "kube-scheduler")
"""Parts of Kubernetes that wait for an API server by client-go's rules."""


@pytest.fixture
async def testbed(provider: Provider) -> AsyncIterator[Cluster]:
    found = provider.access.need_testbed()
    before = found.processes.pid("kube-apiserver")
    yield found
    if found.processes.pid("kube-apiserver") != before:
        # Their pauses grow with every outage, to a minute, and begin anew only after two minutes without one.
        for name in PATIENT:
            await to_thread.run_sync(found.processes.stop, name)  # returns when it is gone, so that ``up`` starts it
    await to_thread.run_sync(found.up)


@pytest.mark.parametrize(
    ("phase", "parts"),
    [(phase, parts) for phase in PHASES for parts in (("node1-kubelet",), ("kube-apiserver",))]
    + [("executing", ("etcd",)), ("executing", EVERYTHING)],
    ids=lambda given: given if isinstance(given, str) else given[0] if len(given) == 1 else "everything",
)
async def test_an_execution_outlives_a_part_of_the_cluster(
    provider: Provider, testbed: Cluster, phase: str, parts: tuple[str, ...]
) -> None:
    # What a container prints while nobody reads it is there afterwards only if the container is, too.
    source = NAP.replace("sleep(6)", "sleep(20)") if "node1-containerd" in parts else NAP
    plan, reached = moment(provider, phase, source)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await reached(operator, execution)
        for part in parts:
            testbed.crash(part)
        provider.gateway.release()
        await anyio.sleep(2)
        await to_thread.run_sync(testbed.up)
        with anyio.fail_after(150):
            final = await operator.until(execution.execution_id)
        log = await log_of(operator, final)
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert [(record.attempt, record.reason) for record in final.records] == [(1, None)]
    assert log == NAP_LOG
    assert provider.result(final)["done.txt"] == "done"
    assert provider.gateway.calls.count("finish") == 1


async def test_an_execution_on_a_lost_node_is_tried_again_on_another(provider: Provider, testbed: Cluster) -> None:
    await to_thread.run_sync(lambda: testbed.up(second_node=True))
    testbed.kubectl("cordon", NODE1.name)
    plan = provider.plan(provider.stage(0, NAP, provider.fetched(1, "a.txt", "one")), max_execution_seconds=600)
    async with provider.operator() as operator:
        execution = await operator.service.register(registration_of(plan))
        await says(operator, execution, b"asleep")
        pod = f"{execution.execution_id}-0-compute-1"
        place = testbed.kubectl(
            "get", "pod", pod, f"--namespace={provider.namespace}", "-o", "jsonpath={.spec.nodeName}"
        )
        assert place.stdout == NODE2.name
        network.cut()
        testbed.kubectl("uncordon", NODE1.name)
        try:
            with anyio.fail_after(200):
                final = await operator.until(execution.execution_id)
        finally:
            network.mend()
    assert final.phase is Phase.SUCCEEDED, final.reason
    assert [(record.attempt, record.reason and record.reason.code) for record in final.records] == [
        (1, "Interrupted"),
        (2, None),
    ]
    await _until(lambda: testbed.is_ready(NODE2.name))


async def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not await to_thread.run_sync(holds):
        assert time.monotonic() < deadline
        await anyio.sleep(0.2)
