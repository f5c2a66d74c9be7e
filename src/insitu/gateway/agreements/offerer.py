"""``POST offers``: the provider signs terms that it would grant (C7 ahead of C4 and C5)."""

from insitu.api.gateway_v1 import Offer
from insitu.domain.agreement import Terms, agreement_id, terms_digest
from insitu.domain.errors import InsituError
from insitu.gateway.agreements.permission_checker import Permission
from insitu.gateway.agreements.terms_check import require_prompt_lock, require_provider
from insitu.gateway.agreements.terms_checker import Acceptance
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer

__all__ = ["Offering"]


class Offering:
    """Signs what the grant would agree to. An offer binds the provider, so it is short and never free."""

    def __init__(self, signer: Signer, chain: Chain, acceptance: Acceptance, permission: Permission) -> None:
        self._signer = signer
        self._chain = chain
        self._acceptance = acceptance
        self._permission = permission

    async def offer(self, terms: Terms) -> Offer:
        """Return the provider's signature of the terms.

        Raises
        ------
        InsituError
            What :meth:`Acceptance.require` raises; ``OfferRefused`` for terms that cost nothing, whose quota counts
            grants; ``DeadlinePassed``, and ``TermsMismatch`` for a deadline later than the service's
            ``lockReward.timeout`` from now.
        """
        require_provider(terms, self._signer.address)
        if terms.total == 0:
            raise InsituError("OfferRefused", "free agreements are granted within a quota, once they are created")
        found = await self._acceptance.require(terms)
        require_prompt_lock(terms, found, await self._permission.now())
        domain = self._chain.agreements
        signature = "0x" + self._signer.sign_digest(terms_digest(terms, domain)).hex()
        return Offer(service_agreement_id=agreement_id(terms, domain), signature=signature)
