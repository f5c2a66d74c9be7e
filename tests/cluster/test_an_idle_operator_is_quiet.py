"""What nothing happens to is not asked about faster than once in a regular look, which is 30 s by default.

The exception is the lease: whoever leads renews it, and whoever waits looks at it, every three seconds.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import httpx2
import pytest

from insitu.adapters.executions.kubernetes import KubernetesExecutions
from insitu.adapters.kubernetes import WATCH_SECONDS, Cluster
from insitu.adapters.kubernetes_leadership import Leadership
from insitu.adapters.runtime.kubernetes import KubernetesRuntime
from insitu.settings.sections import OperatorSettings
from tests.cluster.provider import ROOMY, Operator, Provider, says
from tests.doubles.registrations import registration_of
from tests.doubles.running_operator import running_operator

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

RESYNC, LOOKS = 5.0, 3
NAP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"


@dataclass
class Requests:
    """How often each thing was asked of the cluster by one process, since the last ``clear``."""

    counted: Counter[str] = field(default_factory=Counter)
    leases: int = 0

    def count_those_of(self, cluster: Cluster) -> None:
        for client in (cluster._client._client._client, cluster._streams):
            client.event_hooks["request"].append(self.note)

    async def note(self, request: httpx2.Request) -> None:
        if "/leases" in request.url.path:
            self.leases += 1
        else:
            self.counted[f"{request.method} {request.url.path}?{request.url.query.decode()}"] += 1

    def clear(self) -> None:
        self.counted.clear()
        self.leases = 0


@asynccontextmanager
async def leading(provider: Provider, requests: Requests) -> AsyncIterator[Operator]:
    """An operator whose engine works, as the one that holds the lease."""
    async with Cluster(provider.access.kubeconfig, provider.namespace) as cluster, anyio.create_task_group() as tasks:
        requests.count_those_of(cluster)
        executions, runtime = KubernetesExecutions(cluster), KubernetesRuntime(cluster, provider.placement())
        tasks.start_soon(Leadership(cluster, "insitu-quiet", "leader").lead, anyio.sleep_forever)
        started = running_operator(
            provider.root / "operator",
            provider.gateway,
            lambda _tasks, _clock: runtime,
            capacity=ROOMY,
            resync=timedelta(seconds=RESYNC),
            executions=executions,
        )
        async with started as operator:
            tasks.start_soon(executions.follow, operator.engine.wake)
            try:
                yield operator
            finally:
                await runtime.aclose()
                tasks.cancel_scope.cancel()


@asynccontextmanager
async def following(provider: Provider, requests: Requests) -> AsyncIterator[None]:
    """An operator that answers and waits for the lease."""
    async with Cluster(provider.access.kubeconfig, provider.namespace) as cluster, anyio.create_task_group() as tasks:
        requests.count_those_of(cluster)
        tasks.start_soon(KubernetesExecutions(cluster).follow, lambda _: None)
        tasks.start_soon(Leadership(cluster, "insitu-quiet", "follower").lead, anyio.sleep_forever)
        yield
        tasks.cancel_scope.cancel()


async def test_nothing_is_asked_faster_than_the_regular_look(provider: Provider) -> None:
    leader, follower = Requests(), Requests()
    async with leading(provider, leader) as operator, following(provider, follower):
        await operator.engine.require_runtime()  # the walls are proved first
        await anyio.sleep(2)
        await _window(leader, follower)
        assert [asked for asked, times in leader.counted.items() if times > LOOKS + 1] == []
        assert dict(follower.counted) == {}, "its watch tells everything"
        assert leader.leases > 0
        assert follower.leases > 0
        plan = provider.plan(provider.stage(0, NAP, provider.fetched(1, "a.txt", "one")), max_execution_seconds=600)
        execution = await operator.service.register(registration_of(plan))
        await says(operator, execution, b"asleep")
        await anyio.sleep(2)
        await _window(leader, follower)
        # Records are looked at for work, and by the sweeper; nothing else has two that ask.
        assert [asked for asked, times in leader.counted.items() if times > 2 * (LOOKS + 1)] == []
        assert dict(follower.counted) == {}
        await operator.service.stop(execution.agreement_id, execution.execution_id, "consumer")
        await operator.until(execution.execution_id)


def test_the_regular_look_is_no_faster_than_every_thirty_seconds() -> None:
    assert OperatorSettings().resync >= 30
    assert WATCH_SECONDS >= 30


async def _window(*requests: Requests) -> None:
    """Let some regular looks pass."""
    for each in requests:
        each.clear()
    began = time.monotonic()
    await anyio.sleep(LOOKS * RESYNC)
    assert time.monotonic() - began < 2 * LOOKS * RESYNC, "the machine was too slow to count anything"
