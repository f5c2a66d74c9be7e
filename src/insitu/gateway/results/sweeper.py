"""What only time brings about: agreements that end without a success, results that expire, needless copies."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from insitu.domain.errors import InsituError
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.settler import Settler, charges_at_end
from insitu.gateway.wakeups import FOLLOWED, OUTBOX
from insitu.ports.agreement_changes import Change
from insitu.ports.agreement_records import KnownAgreement
from insitu.ports.agreements import EVERY

logger = logging.getLogger(__name__)

PERIOD = timedelta(seconds=60)
STRAYS_PERIOD = timedelta(days=1)
"""Time between two checks of every blob."""
AT_ONCE = 500
"""Blobs in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Looks for what is due after each block, which may have a later time, and at least once a minute."""

    ports: GatewayPorts
    permission_checker: PermissionChecker
    settler: Settler

    async def run(self) -> None:
        """Sweep until cancelled."""
        strays_due = self.ports.clock.now()
        while True:
            seen = self.ports.wakeups.count(FOLLOWED)
            try:
                await self.close_agreements()
                await self.remove_results()
                if self.ports.clock.now() >= strays_due:
                    await self.remove_strays()
                    await self.ports.agreements.remove_copies(self.ports.clock.now())
                    strays_due = self.ports.clock.now() + STRAYS_PERIOD
            except InsituError as error:
                logger.warning("sweeping is interrupted: %s", error)
            await self.ports.wakeups.wait(FOLLOWED, seen, until=self.ports.clock.now() + PERIOD)

    async def close_agreements(self) -> None:
        """Charge the first execution that failed at the consumer's risk, if none succeeded in time (E10)."""
        for known in await self.ports.agreements.unsettled(await self.permission_checker.now()):
            await self._close(known)

    async def _close(self, known: KnownAgreement) -> None:
        executions = await self.ports.agreements.executions(agreement_id=known.agreement_id, limit=EVERY)
        if any(execution.live for execution in executions):
            return
        waiting = [execution for execution in executions if execution.charge is None]
        changes: list[Change] = []
        for due in charges_at_end(waiting, known.terms.total):
            ended, charge = known.agreement_id, due.settlement.charge
            logger.info("agreement %s ended without a success: %s costs %d", ended, due.execution_id, charge)
            changes += self.settler.decide(ended, known.terms, due, self.ports.clock.now())
        await self.ports.agreements.apply(changes)
        self.ports.wakeups.ring(OUTBOX)

    async def remove_results(self) -> None:
        """Delete the files of expired results, unless another result or an upload has them too."""
        for execution in await self.ports.agreements.expired_results(self.ports.clock.now()):
            for sha256 in await self.ports.agreements.results_removed(execution.execution_id):
                await self.ports.blobs.remove(sha256)

    async def remove_strays(self) -> None:
        """Delete blobs that nothing names, once they are as old as results may become.

        They come from executions that failed while they delivered, from manifests, and from a crash between forgetting
        a result and deleting its files.
        """
        retention = timedelta(seconds=self.ports.configuration.result_retention)
        moment = self.ports.clock.now() - max(retention, STRAYS_PERIOD)  # what comes now is named within the hour
        old = await self.ports.blobs.older_than(moment)
        for first in range(0, len(old), AT_ONCE):
            for sha256 in await self.ports.agreements.needless_blobs(old[first : first + AT_ONCE]):
                # It may be delivered again at this moment; then it is younger.
                await self.ports.blobs.remove(sha256, before=moment)
