"""Obeys owners who let nothing run on their data sets for now (ADR 0127)."""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

from insitu.api.gateway_v1 import PausedAsset
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.executions.stopper import Stopper
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.results.closer import Closer
from insitu.gateway.sign_in.caller import Caller
from insitu.gateway.wakeups import FOLLOWED

logger = logging.getLogger(__name__)

PERIOD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauser:
    """Ends what waits on paused data sets, and returns the prices of agreements without a charge."""

    ports: GatewayPorts
    permission_checker: PermissionChecker
    stopper: Stopper
    closer: Closer

    async def pause(self, caller: Caller, did: str, stopping: bool | None) -> PausedAsset:
        """Pause a data set for its owner, who also says whether what runs is stopped; None ends the pause.

        Raises ``NotDIDOwner``, ``AudienceMismatch``, ``InvalidDID``.
        """
        caller.require(did=did)
        record = await self.ports.chain.did_record(str(Did.parse(did)))
        if record is None or record.owner.lower() != caller.address.lower():
            raise InsituError("NotDIDOwner", f"{caller.address} does not own {did}")
        own = record.owner.lower() == self.ports.provider.lower()
        if own or stopping is None or await self.ports.agreements.reads(record.did):
            await self.ports.agreements.pause(record.did, stopping)
        self.ports.wakeups.ring(FOLLOWED)
        return PausedAsset(did=record.did, paused=stopping is not None, here_alone=own)

    async def run(self) -> None:
        """Work after each block until cancelled. Everything is looked up again, so a repeated step is harmless."""
        while True:
            seen = self.ports.wakeups.count(FOLLOWED)
            await self.turn()
            await self.ports.wakeups.wait(FOLLOWED, seen, until=self.ports.clock.now() + PERIOD)

    async def turn(self) -> None:
        """End the executions and return the agreements of paused data sets, as many as one turn takes."""
        paused = await self.ports.agreements.paused()
        for execution in await self.ports.agreements.live() if paused else ():
            read = {source.did for stage in execution.plan.stages for source in stage.inputs}
            waits = execution.phase is Phase.REGISTERED
            if any(did in read and (stopping or waits) for did, stopping in paused.items()):
                await _attempt(self.stopper.end(execution, "owner"), f"execution {execution.execution_id} is not ended")
        for did in paused:
            await _attempt(self._return(did), f"the prices of {did} are not returned")

    async def _return(self, did: str) -> None:
        for known in await self.ports.agreements.returnable(did, await self.permission_checker.now()):
            returning = self.closer.give_back(known, self.ports.configuration.commit_delay)
            await _attempt(returning, f"the price of agreement {known.agreement_id} is not returned")


async def _attempt(step: Awaitable[object], otherwise: str) -> None:
    """Take one step of a pause, whose failure must not keep the others from being taken."""
    try:
        await step
    except InsituError as error:
        logger.warning("%s yet: %s", otherwise, error)
