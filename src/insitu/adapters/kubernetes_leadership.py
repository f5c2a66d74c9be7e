"""One of several processes works at a time: the one that holds a Lease of the cluster (coordination.k8s.io).

A lease says who holds it and when it was renewed. The other processes watch it, and one of them takes it if it has not
changed for its whole duration. Clocks of machines are not compared: each process counts from when it saw a change. The
holder gives up before others may take over, so two processes hold it only if one was stopped in between. The engine
copes with that, because records change by version and steps have names.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
from lightkube.models.coordination_v1 import LeaseSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.coordination_v1 import Lease

from insitu.adapters.kubernetes import Cluster, ConflictError, RefusedError
from insitu.domain.errors import InsituError

logger = logging.getLogger(__name__)
_LABELS = {"app.kubernetes.io/part-of": "insitu"}


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: how long a lease is valid, when its holder gives up renewing it, and between two looks."""

    duration: int = 15
    give_up: float = 10.0
    look: float = 3.0


class Leadership:
    """A lease by its name.

    Parameters
    ----------
    identity
        The name of this process. A process with the same name takes over at once, so no two may have it at a time.
    """

    def __init__(self, cluster: Cluster, name: str, identity: str, *, pace: Pace | None = None) -> None:
        self._cluster = cluster
        self._name = name
        self._pace = pace or Pace()
        self.identity = identity
        self._seen: tuple[str, float] = ("", 0.0)

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Work whenever this process leads, until cancelled or until the work has ended.

        The work is cancelled when the lease cannot be renewed, and begun again when it is held again.
        """
        while True:
            await self._acquire()
            logger.info("%s leads", self.identity)
            ended = False
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._keep, tasks.cancel_scope)
                    await work()
                    ended = True
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(self._pace.look, shield=True):
                    await self._release()
            if ended:
                return
            logger.warning("%s no longer leads", self.identity)

    async def _acquire(self) -> None:
        # Nobody announces the end of the holder, so we look until the lease stops changing.
        while True:
            if await self._attempt(self._take):
                return
            await anyio.sleep(self._pace.look)

    async def _keep(self, scope: anyio.CancelScope) -> None:
        """Renew the lease; cancel the work if that fails for too long, or another process holds it."""
        renewed = time.monotonic()
        while time.monotonic() - renewed < self._pace.give_up:
            await anyio.sleep(self._pace.look)
            asked = time.monotonic()
            with anyio.move_on_after(max(renewed + self._pace.give_up - asked, 0.0)):
                held = await self._attempt(self._take)
                if held is False:
                    break
                renewed = asked if held else renewed
        scope.cancel()

    async def _attempt(self, what: Callable[[], Awaitable[bool]]) -> bool | None:
        """Do it and return its answer; None if that is not possible now."""
        try:
            return await what()
        except ConflictError:
            return None
        except (InsituError, RefusedError) as error:
            logger.warning("the lease %s is not available: %s", self._name, error)
            return None

    async def _take(self) -> bool:
        """Take or renew the lease; return whether this process holds it now."""
        lease = await self._cluster.get(Lease, self._name)
        now = datetime.now(UTC)
        # A time without a fraction of a second would be written without one, which the cluster refuses.
        now = now.replace(microsecond=max(now.microsecond, 1))
        if lease is None:
            spec = LeaseSpec(
                acquireTime=now,
                holderIdentity=self.identity,
                leaseDurationSeconds=self._pace.duration,
                leaseTransitions=0,
                renewTime=now,
            )
            await self._cluster.create(Lease(metadata=ObjectMeta(name=self._name, labels=_LABELS), spec=spec))
            return True
        spec = lease.spec or LeaseSpec()
        if spec.holderIdentity != self.identity:
            if spec.holderIdentity and not self._has_expired(lease, spec):
                return False
            spec.leaseTransitions = (spec.leaseTransitions or 0) + 1
            spec.acquireTime = now
        spec.holderIdentity, spec.renewTime, spec.leaseDurationSeconds = self.identity, now, self._pace.duration
        lease.spec = spec
        await self._cluster.replace(lease)
        return True

    def _has_expired(self, lease: Lease, spec: LeaseSpec) -> bool:
        version = (lease.metadata.resourceVersion if lease.metadata is not None else None) or ""
        if version != self._seen[0]:
            self._seen = (version, time.monotonic())
        return time.monotonic() - self._seen[1] > (spec.leaseDurationSeconds or self._pace.duration)

    async def _release(self) -> None:
        """Let others take the lease at once."""

        async def let_go() -> bool:
            lease = await self._cluster.get(Lease, self._name)
            if lease is None or lease.spec is None or lease.spec.holderIdentity != self.identity:
                return True
            # Without a name, nobody holds it.
            lease.spec.holderIdentity = None
            await self._cluster.replace(lease)
            return True

        await self._attempt(let_go)
