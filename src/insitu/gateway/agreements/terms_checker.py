"""Whether the provider agrees to terms: one judgement, whether it grants, relays or offers (C7, design §7)."""

from datetime import timedelta

from insitu.domain.agreement import Terms
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.gateway.agreements.assessor import Assessment, Assessor
from insitu.gateway.agreements.free_gas_limiter import FreeGas
from insitu.gateway.agreements.terms_check import require_fitting_terms
from insitu.gateway.configuration import GatewayConfiguration
from insitu.ports.agreements import Agreements
from insitu.ports.clock import Clock

__all__ = ["Acceptance", "versions_of"]


class Acceptance:
    """Compares signed terms with documents, policy, price and times, as ``check`` would quote them."""

    def __init__(
        self,
        configuration: GatewayConfiguration,
        agreements: Agreements,
        assessor: Assessor,
        free_gas: FreeGas,
        clock: Clock,
    ) -> None:
        self._configuration = configuration
        self._free_gas = free_gas
        self._agreements = agreements
        self._assessor = assessor
        self._clock = clock

    async def require(self, terms: Terms, *, counted: bool = False) -> Assessment:
        """Return what was found, where the provider agrees.

        ``counted`` says that a free agreement is in its consumer's quota already.

        Raises
        ------
        InsituError
            ``QuotaExceeded``, ``FreeGasExhausted``; the verdict's first reason; ``TermsMismatch``, ``PriceTooLow``;
            what resolving the workflow raises.
        """
        if terms.total == 0 and not counted:
            await self.require_free(terms.consumer)
        found = await self._assessed(terms)
        require_fitting_terms(terms, found)
        return found

    async def require_free(self, consumer: Address) -> None:
        """Refuse one more agreement that costs nothing. Raises ``QuotaExceeded``, ``FreeGasExhausted``."""
        await self._require_quota(consumer)
        await self._free_gas.require(consumer)

    async def versions(self, terms: Terms) -> tuple[dict[str, str], int] | None:
        """Return the inputs' present versions and how many executions their policies allow.

        For an agreement that was granted without this gateway noting them; None where they cannot be read now.
        """
        try:
            found = await self._assessed(terms)
        except InsituError:
            return None
        if len(found.inputs) < len(found.workflow.input_dids):
            return None
        return versions_of(found), found.policy.max_executions

    async def service_price(self, terms: Terms) -> int:
        """Return the present price in base units of the service that the terms name. Raises what reading it raises."""
        return await self._assessor.service_price(str(Did.from_hex(terms.did)), terms.service_index)

    async def _assessed(self, terms: Terms) -> Assessment:
        return await self._assessor.assess(
            terms.consumer,
            str(Did.from_hex(terms.workflow_id)),
            workflow_checksum=terms.workflow_hash,
            service_index=terms.service_index,
        )

    async def _require_quota(self, consumer: Address) -> None:
        limit = self._configuration.free_grants_per_day
        since = self._clock.now() - timedelta(days=1)
        if await self._agreements.free_grants(consumer, since) >= limit:
            raise InsituError("QuotaExceeded", f"{limit} free agreements in 24 hours are granted", limit=limit)


def versions_of(found: Assessment) -> dict[str, str]:
    """Return what is remembered of the inputs with a grant: DID → on-chain checksum."""
    return {one.asset.did: one.asset.checksum for one in found.inputs}
