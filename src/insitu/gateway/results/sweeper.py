"""What time alone brings about: agreements that end without a success, and results that are kept no longer (§6, §8)."""

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

__all__ = ["Sweeper"]

logger = logging.getLogger(__name__)

PERIOD = timedelta(seconds=60)
STRAYS_PERIOD = timedelta(days=1)
"""Time between two looks at every blob."""
AT_ONCE = 500
"""Blobs that are asked about at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Looks for what is due, with each block, which may have brought another time, and at least once a minute."""

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
                    strays_due = self.ports.clock.now() + STRAYS_PERIOD
            except InsituError as error:
                logger.warning("sweeping waits: %s", error)
            await self.ports.wakeups.wait(FOLLOWED, seen, until=self.ports.clock.now() + PERIOD)

    async def close_agreements(self) -> None:
        """Charge the first execution that failed at the consumer's risk, where none succeeded in time (design §8)."""
        for known in await self.ports.agreements.unsettled(await self.permission_checker.now()):
            await self._close(known)

    async def _close(self, known: KnownAgreement) -> None:
        executions = await self.ports.agreements.executions(agreement_id=known.agreement_id)
        if any(one.live for one in executions):
            return
        waiting = [one for one in executions if one.charge is None]
        names = {one.plan.number: one.execution_id for one in waiting}
        changes: list[Change] = []
        for due in charges_at_end(waiting, known.terms.total):
            logger.info(
                "agreement %s ended without a success: %s costs %d", known.agreement_id, names[due.number], due.charge
            )
            now = self.ports.clock.now()
            changes += self.settler.decide(known.agreement_id, known.terms, names[due.number], due, now)
        await self.ports.agreements.apply(changes)
        self.ports.wakeups.ring(OUTBOX)

    async def remove_results(self) -> None:
        """Delete the files of results whose time is over, unless another result or an upload has them too."""
        for execution in await self.ports.agreements.expired_results(self.ports.clock.now()):
            for sha256 in await self.ports.agreements.results_removed(execution.execution_id):
                await self.ports.blobs.remove(sha256)

    async def remove_strays(self) -> None:
        """Delete blobs that nothing names, once they lay for as long as results are kept.

        An execution that failed while it handed over leaves such, manifests become such, and a kill between forgetting
        a result and deleting its files.
        """
        retention = timedelta(seconds=self.ports.configuration.result_retention)
        moment = self.ports.clock.now() - max(retention, STRAYS_PERIOD)  # what comes now is named within the hour
        old = await self.ports.blobs.older_than(moment)
        for first in range(0, len(old), AT_ONCE):
            for sha256 in await self.ports.agreements.needless_blobs(old[first : first + AT_ONCE]):
                # It may be handed over again just now, and is younger then.
                await self.ports.blobs.remove(sha256, before=moment)
