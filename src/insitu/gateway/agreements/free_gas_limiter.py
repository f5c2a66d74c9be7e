"""Gas for executions that cost their consumer nothing: their receipts and results still go on chain.

Accounts cost nothing, so a limit for each account limits nobody. Instead all strangers share one budget. An account
does not count as a stranger if its charged executions have paid the provider for what was sent for it. The budget is
checked before an execution starts; what has started is finished, no matter what it costs.
"""

import secrets
from dataclasses import dataclass

from insitu.domain.agreement import Terms
from insitu.domain.ids import Address
from insitu.domain.ledger import Call, register_attribute_for
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_records import FreeExecution

TIMES = 3
"""One registration, and the same again for the settlement and for the statements of provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeGasLimiter:
    """Says how much of the budget an execution takes, and whether anything is left."""

    ports: GatewayPorts

    async def of(self, terms: Terms, *, first: bool) -> FreeExecution | None:
        """Return what to reserve for an execution. None for the ``first`` of a priced agreement, which will pay."""
        if first and terms.total:
            return None
        return self._taking(TIMES * await self.registration(terms.consumer))

    async def registration(self, owner: Address) -> int:
        """Return what it costs now to register something for an account, in wei. Raises ``ChainUnavailable``."""
        url, provider = self.ports.configuration.metadata_url, self.ports.provider
        call = register_attribute_for(secrets.token_bytes(32), secrets.token_bytes(32), [provider], url, owner)
        return await self.ports.chain.estimate(call, provider)

    async def of_call(self, call: Call) -> FreeExecution:
        """Return what to reserve for a call of the provider that costs the consumer nothing. Raises its refusal."""
        return self._taking(await self.ports.chain.estimate(call, self.ports.provider))

    async def require(self, consumer: Address) -> None:
        """Refuse anything free when the budget is used up. Raises ``FreeGasExhausted``."""
        await self.ports.agreements.require_free_gas(self._taking(1), consumer, self.ports.clock.now())

    def _taking(self, cost: int) -> FreeExecution:
        return FreeExecution(cost, self.ports.configuration.free_gas_budget, self.ports.configuration.coin_price)
