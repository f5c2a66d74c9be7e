"""``POST offers``: the provider signs terms that it would grant (C7 before C4 and C5)."""

from dataclasses import dataclass

from insitu.api.gateway_v1 import Offer
from insitu.domain.agreement import Terms, agreement_id, terms_digest
from insitu.domain.errors import InsituError
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.terms_checker import TermsChecker, copies_of, require_prompt_lock, require_provider
from insitu.gateway.ports import GatewayPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offerer:
    """Signs terms that would be granted. An offer binds the provider, so it is short-lived and never free."""

    ports: GatewayPorts
    terms_checker: TermsChecker
    permission_checker: PermissionChecker

    async def offer(self, terms: Terms) -> Offer:
        """Return the provider's signature for the terms.

        Raises what :meth:`TermsChecker.require` raises; ``OfferRefused`` for terms that cost nothing, whose quota
        counts grants; ``DeadlinePassed``, and ``TermsMismatch`` for a deadline later than the shortest
        ``lockReward.timeout`` of the inputs from now, or than an hour.
        """
        require_provider(terms, self.ports.provider)
        if terms.total == 0:
            raise InsituError("OfferRefused", "free agreements are granted after they are created, within a quota")
        found = await self.terms_checker.require(terms)
        require_prompt_lock(terms, found, await self.permission_checker.now())
        await self.ports.agreements.apply(copies_of(found, terms.deadline))
        domain = self.ports.chain.agreements
        signature = "0x" + self.ports.signer.sign_digest(terms_digest(terms, domain)).hex()
        return Offer(service_agreement_id=agreement_id(terms, domain), signature=signature)
