"""Finds an agreement and checks whether its consumer may execute now (E1)."""

from dataclasses import dataclass

from insitu.at_once import both
from insitu.domain.agreement import AgreementState
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.gateway.ports import GatewayPorts
from insitu.ports.agreement_changes import Remember, Touch
from insitu.ports.agreement_records import KnownAgreement, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionChecker:
    """Finds agreements by their id and asks the contract for permission."""

    ports: GatewayPorts

    async def find(self, agreement_id: AgreementId) -> KnownAgreement:
        """Return an agreement of this provider. If it is not stored yet, the chain is asked.

        Raises ``AgreementUnknown``, ``ChainUnavailable``.
        """
        known = await self.ports.agreements.agreement(agreement_id)
        if known is not None:
            return known
        terms = await self.ports.chain.find_terms(agreement_id)
        if terms is None or terms.provider.lower() != self.ports.provider.lower():
            raise InsituError("AgreementUnknown", f"this gateway has no agreement {agreement_id}")
        await self.ports.agreements.apply([Remember(agreement_id, terms), Touch(agreement_id, 0)])
        known = await self.ports.agreements.agreement(agreement_id)
        assert known is not None
        return known

    async def now(self) -> int:
        """Return the time that deadlines are compared with, in seconds: the later of this host's and the chain's."""
        return max(int(self.ports.clock.now().timestamp()), await self.ports.chain.time())

    async def require(self, known: KnownAgreement, consumer: Address) -> AgreementState:
        """Refuse unless this consumer may start an execution now, for the most exact reason that is known.

        Raises ``NotConsumer``, ``AgreementUnknown``, ``AgreementLost``, ``AgreementClosing``, ``AgreementRefused``,
        ``AgreementExpired``, ``AgreementNotGranted``, ``ChainUnavailable``.
        """
        terms = known.terms
        if terms.consumer.lower() != consumer.lower():
            raise InsituError("NotConsumer", f"agreement {known.agreement_id} belongs to another consumer")
        workflow_id = "0x" + Did.from_hex(terms.workflow_id).digits
        permits = self.ports.chain.check_permissions(terms, terms.consumer, workflow_id)
        looking = both(self.ports.chain.agreement(known.agreement_id), self.now())
        (state, now), permitted = await both(looking, permits)
        refusal = self._refusal(known, state, now)
        if refusal is not None:
            raise refusal
        if not permitted:
            raise InsituError("AgreementNotGranted", "the contract's checkPermissions returned false")
        return state

    def _refusal(self, known: KnownAgreement, state: AgreementState, now: int) -> InsituError | None:
        if not state.exists or not state.locked:
            code = "AgreementLost" if known.standing in (Standing.GRANTED, Standing.LOST) else "AgreementUnknown"
            return InsituError(code, f"the chain has no payment of agreement {known.agreement_id}")
        if known.closing:
            return InsituError("AgreementClosing", f"nothing starts under agreement {known.agreement_id} any more")
        if state.refunded:
            detail = known.reason.message if known.reason is not None else "the payment went back to the consumer"
            return InsituError("AgreementRefused" if not state.granted else "AgreementExpired", detail)
        if not state.granted:
            detail = known.reason.message if known.reason is not None else ""
            return InsituError("AgreementNotGranted", detail)
        if state.closed or now >= state.execution_ends(known.terms):
            return InsituError("AgreementExpired", f"executions could start until {state.execution_ends(known.terms)}")
        return None
