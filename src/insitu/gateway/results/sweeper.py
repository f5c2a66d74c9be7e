"""What time alone brings about: agreements that end without a success, and results that are kept no longer (§6, §8)."""

import logging
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.gateway.agreements.permission_checker import Permission
from insitu.gateway.results.settler import Settling, charges_at_end
from insitu.gateway.wakeups import FOLLOWED, OUTBOX, Wakeups
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import KnownAgreement
from insitu.ports.agreements import Agreements
from insitu.ports.blobs import Blobs
from insitu.ports.clock import Clock

__all__ = ["Sweeper"]

logger = logging.getLogger(__name__)

PERIOD = timedelta(seconds=60)
STRAYS_PERIOD = timedelta(days=1)
"""Time between two looks at every blob."""
AT_ONCE = 500
"""Blobs that are asked about at a time."""


class Sweeper:
    """Looks for what is due, with each block, which may have brought another time, and at least once a minute."""

    def __init__(
        self,
        agreements: Agreements,
        permission: Permission,
        settling: Settling,
        blobs: Blobs,
        clock: Clock,
        wakeups: Wakeups,
        retention: timedelta,
    ) -> None:
        self._agreements = agreements
        self._permission = permission
        self._settling = settling
        self._blobs = blobs
        self._clock = clock
        self._wakeups = wakeups
        self._retention = retention
        self._strays_due = clock.now()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            seen = self._wakeups.count(FOLLOWED)
            try:
                await self.turn()
            except InsituError as error:
                logger.warning("sweeping waits: %s", error)
            await self._wakeups.wait(FOLLOWED, seen, until=self._clock.now() + PERIOD)

    async def turn(self) -> None:
        """Sweep once."""
        await self.close_agreements()
        await self.remove_results()
        if self._clock.now() >= self._strays_due:
            await self.remove_strays()
            self._strays_due = self._clock.now() + STRAYS_PERIOD

    async def close_agreements(self) -> None:
        """Charge the first execution that failed at the consumer's risk, where none succeeded in time (design §8)."""
        for known in await self._agreements.unsettled(await self._permission.now()):
            await self._close(known)

    async def _close(self, known: KnownAgreement) -> None:
        executions = await self._agreements.executions(agreement_id=known.agreement_id)
        if any(one.live for one in executions):
            return
        waiting = [one for one in executions if one.charge is None]
        names = {one.plan.number: one.execution_id for one in waiting}
        changes: list[Change] = []
        for due in charges_at_end(waiting, known.terms.total):
            logger.info(
                "agreement %s ended without a success: %s costs %d", known.agreement_id, names[due.number], due.charge
            )
            now = self._clock.now()
            changes += self._settling.decide(known.agreement_id, known.terms, names[due.number], due, now)
        await self._agreements.apply(changes)
        self._wakeups.ring(OUTBOX)

    async def remove_results(self) -> None:
        """Delete the files of results whose time is over, unless another result or an upload has them too."""
        for execution in await self._agreements.expired_results(self._clock.now()):
            for sha256 in await self._agreements.results_removed(execution.execution_id):
                await self._blobs.remove(sha256)

    async def remove_strays(self) -> None:
        """Delete blobs that nothing names, once they lay for as long as results are kept.

        An execution that failed while it handed over leaves such, manifests become such, and a kill between forgetting
        a result and deleting its files.
        """
        moment = self._clock.now() - max(self._retention, STRAYS_PERIOD)  # what comes now is named within the hour
        old = await self._blobs.older_than(moment)
        for first in range(0, len(old), AT_ONCE):
            for sha256 in await self._agreements.needless_blobs(old[first : first + AT_ONCE]):
                # It may be handed over again just now, and is younger then.
                await self._blobs.remove(sha256, before=moment)
