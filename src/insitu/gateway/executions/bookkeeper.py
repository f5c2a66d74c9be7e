"""What an owner earned at this gateway, and what is open and paused on their data sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from insitu.api.agreements_v1 import Desk, OwnedData
from insitu.domain.amount import Amount
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.caller import Caller

PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeper:
    """Adds up by what the gateway remembers, so that nobody has to read whole lists to know a sum."""

    ports: GatewayPorts

    async def desk(self, caller: Caller, dids: Sequence[str]) -> Desk:
        """Return what an account was paid in 30 days, what waits for it, and those of the data sets that it owns.

        Raises ``InvalidDid``, ``AudienceMismatch`` for a token that is restricted to something else.
        """
        if (caller.agreement, caller.execution, caller.did) != (None, None, None):
            raise InsituError("AudienceMismatch", "this is about all that an account earns, and the token for less")
        owned = [did for did in dict.fromkeys(str(Did.parse(did)) for did in dids) if await self._owns(caller, did)]
        now = self.ports.clock.now()
        earned = await self.ports.agreements.earned(caller.address, now - PERIOD, now)
        paused, opened = await self.ports.agreements.paused(), await self.ports.agreements.open_on(owned, now)
        return Desk(
            since=now - PERIOD,
            received=Amount.from_base_units(earned.received),
            payments=earned.payments,
            escrow=Amount.from_base_units(earned.escrow),
            waiting=earned.waiting,
            data_sets=tuple(
                OwnedData(did=did, paused=did in paused, stopping=paused.get(did, False), open_agreements=opened[did])
                for did in owned
            ),
        )

    async def _owns(self, caller: Caller, did: str) -> bool:
        record = await self.ports.chain.did_record(did)
        return record is not None and record.owner.lower() == caller.address.lower()
