"""Several processes may stand ready; one works, and another goes on when it is gone."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from typing_extensions import override

from insitu.adapters.kubernetes import Cluster
from insitu.adapters.kubernetes_leadership import Leadership, Pace
from insitu.domain.errors import InsituError
from tests.cluster.fixtures import ClusterAccess
from tests.cluster.objects import make_namespace

pytestmark = [pytest.mark.needs("cluster", "root"), pytest.mark.slow]

NAMESPACE = "insitu-leases"
PACE = Pace(duration=2, give_up=1.2, look=0.2)


@dataclass
class Site:
    """Candidates for one lease, and who works at the moment."""

    access: ClusterAccess
    working: list[str] = field(default_factory=list)
    most: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)

    @asynccontextmanager
    async def candidate(self, name: str, *, cluster: Cluster | None = None) -> AsyncIterator[anyio.CancelScope]:
        """Somebody who stands ready until the block ends."""
        async with cluster or Cluster(self.access.kubeconfig, NAMESPACE) as reached, anyio.create_task_group() as tasks:
            leadership = Leadership(reached, "engine", name, pace=PACE)
            tasks.start_soon(leadership.lead, lambda: self._work(name))
            yield tasks.cancel_scope
            tasks.cancel_scope.cancel()

    async def _work(self, name: str) -> None:
        self.working.append(name)
        self.most = max(self.most, len(self.working))
        self._tell()
        try:
            await anyio.sleep_forever()
        finally:
            self.working.remove(name)
            self._tell()

    def _tell(self) -> None:
        changed, self.changed = self.changed, anyio.Event()
        changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        with anyio.fail_after(20):
            while not holds():
                await self.changed.wait()


@pytest.fixture
def site(cluster: ClusterAccess) -> Site:
    make_namespace(cluster, NAMESPACE)
    cluster.kubectl("delete", "leases", "--all", f"--namespace={NAMESPACE}")
    return Site(cluster)


async def test_one_works_and_the_next_takes_over_when_it_ends(site: Site) -> None:
    async with site.candidate("first") as first:
        await site.until(lambda: site.working == ["first"])
        async with site.candidate("second"):
            await anyio.sleep(2 * PACE.duration)
            assert site.working == ["first"]
            began = anyio.current_time()
            first.cancel()
            await site.until(lambda: site.working == ["second"])
            assert anyio.current_time() - began < PACE.duration, "who ends lets the lease go"
    assert site.most == 1


class CableCluster(Cluster):
    """A cluster that can be cut off, as if a cable were pulled."""

    cut = False

    @override
    async def get(self, kind: type[Any], name: str) -> Any:
        if self.cut:
            raise InsituError("InfrastructureFailed", "nothing answers")
        return await super().get(kind, name)


async def test_a_holder_that_is_cut_off_gives_up_before_the_next_takes_over(site: Site, cluster: ClusterAccess) -> None:
    cable = CableCluster(cluster.kubeconfig, NAMESPACE)
    async with site.candidate("first", cluster=cable):
        await site.until(lambda: site.working == ["first"])
        async with site.candidate("second"):
            cable.cut = True
            await site.until(lambda: site.working == ["second"])
            assert site.most == 1
            cable.cut = False
            await anyio.sleep(2 * PACE.duration)
            assert site.working == ["second"], "who was cut off stands ready again, no more"


async def test_a_process_that_starts_again_takes_its_own_lease_at_once(site: Site, cluster: ClusterAccess) -> None:
    cable = CableCluster(cluster.kubeconfig, NAMESPACE)
    async with site.candidate("first", cluster=cable) as killed:
        await site.until(lambda: site.working == ["first"])
        cable.cut = True  # it cannot let the lease go
        killed.cancel()
    began = anyio.current_time()
    async with site.candidate("first"):
        await site.until(lambda: site.working == ["first"])
    assert anyio.current_time() - began < PACE.duration


async def test_a_lease_that_somebody_else_took_ends_the_work_at_once(site: Site, cluster: ClusterAccess) -> None:
    async with site.candidate("first"):
        await site.until(lambda: site.working == ["first"])
        stolen = '{"spec": {"holderIdentity": "somebody"}}'
        cluster.kubectl("patch", "lease", "engine", f"--namespace={NAMESPACE}", "--type=merge", "-p", stolen)
        await site.until(lambda: site.working == [])
        await site.until(lambda: site.working == ["first"])
