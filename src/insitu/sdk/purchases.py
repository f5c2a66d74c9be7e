"""Three ways to make a purchase: sent by the consumer, sent with the provider's offer, sent by the gateway (C3–C7)."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

import anyio

from insitu.api.gateway_v1 import OfferRequest, PurchaseRequest
from insitu.domain.agreement import AgreementDomain, Terms, agreement_id, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.ids import AgreementId
from insitu.domain.ledger import Permit, create_and_lock, create_lock_grant
from insitu.domain.purchase import NO_PERMIT, SignedPermit
from insitu.domain.signatures import recover_address, signature_bytes
from insitu.ports.chain import Chain
from insitu.ports.keys import Signer
from insitu.sdk.gateway import GatewayClient
from insitu.sdk.turns import turn
from insitu.waiting import Backoff, Pauses

LOOK = Backoff(0.02, 1.0)
"""The pauses between two looks at the chain."""
ASK_AGAIN = 5.0
"""Seconds after which the gateway is asked whether the purchase is still on its way."""
PASSING = frozenset({"PeerUnavailable", "ChainUnavailable"})
SIGNED_AGAIN = 5
"""How often a permit is signed again because another process of the account used its nonce first."""
REFUSED_PERMIT = frozenset({"PermitInvalid", "AllowanceTooLow"})
"""What happens to a permit with a used nonce: the token refuses it, or the template ignores it."""
STEP_ASIDE = Backoff(0.3, 30.0, factor=3.0, jitter=0.6)
"""The pauses in which the loser of a nonce lets the others continue."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A purchase in a block. ``transaction`` is None if somebody else sent it."""

    transaction: str | None
    relayed: bool


class Purchases:
    """Sends purchases for one account. Its key signs and stays where it is."""

    def __init__(self, chain: Chain, signer: Signer) -> None:
        self._chain = chain
        self._signer = signer

    def turn(self, price: int) -> AbstractAsyncContextManager[None]:
        """Wait for this account's turn to buy for so many base units. During the turn, agree on the terms and send.

        A token counts an account's permits (ERC-2612), so this process makes them one after the other.
        """
        if not price:
            return nullcontext()
        return turn(
            "permit", self._chain.agreements.chain_id, self._chain.contract("NeverminedToken"), self._signer.address
        )

    async def send(self, terms: Terms, gateway: GatewayClient, *, relay: bool | None, offer: bool) -> Sent:
        """Create and lock the agreement, and return once that is mined. Call it within :meth:`turn`.

        If another process of the account uses the permit's nonce in the meantime, the permit is signed again for the
        same terms, so that nothing can be bought twice.

        Parameters
        ----------
        relay
            True lets the gateway send it; None does so only if this account cannot pay for gas.
        offer
            Ask the provider for its signature first, so that what this account sends is granted at once.
        """
        permit = await self._permit(terms)
        for attempt in range(SIGNED_AGAIN):
            try:
                return await self._send(terms, permit, gateway, relay=relay, offer=offer)
            except InsituError as error:
                if permit is None or error.code not in REFUSED_PERMIT:
                    raise
                await anyio.sleep(STEP_ASIDE.pause(attempt))
                used, permit = permit, await self._permit(terms)
                if permit == used:
                    raise
        return await self._send(terms, permit, gateway, relay=relay, offer=offer)

    async def _permit(self, terms: Terms) -> Permit | None:
        """Allow exactly the price, with the next nonce. The same nonce gives the same permit (RFC 6979).

        A contract account cannot, and needs an allowance. Raises ``AllowanceTooLow``.
        """
        if not terms.total:
            return None
        escrow, price = self._chain.agreements.contract, terms.total
        permit = await self._chain.permit(self._signer, escrow, price, terms.deadline)
        if permit is None and (allowed := await self._chain.allowance(terms.consumer, escrow)) < price:
            detail = f"{escrow} may take {allowed} base units, the price is {price}; {NO_PERMIT}"
            raise InsituError("AllowanceTooLow", detail, allowed=str(allowed), price=str(price))
        return permit

    async def _send(
        self, terms: Terms, permit: Permit | None, gateway: GatewayClient, *, relay: bool | None, offer: bool
    ) -> Sent:
        if relay:
            return await self._relay(terms, permit, gateway)
        if relay is None and not await self._chain.native_balance(terms.consumer):
            # A wallet is not asked to sign a transaction that nobody can pay for.
            return await self._relay_without_coin(terms, permit, gateway)
        # The consumer sends it, so the transaction's own signature covers the terms (C3).
        call = create_and_lock(terms, permit=permit)
        if offer:
            signed = await self._offer(terms, self._chain.agreements, gateway)
            call = create_lock_grant(terms, permit=permit, offer=signed)
        try:
            return Sent((await self._chain.transact(call, self._signer)).hash, relayed=False)
        except InsituError as error:
            # The tokens were looked at before; what an account has too little of here is coin.
            if relay is not None or error.code != "InsufficientFunds" or "arguments" in error.context:
                raise
        return await self._relay_without_coin(terms, permit, gateway)

    async def _offer(self, terms: Terms, domain: AgreementDomain, gateway: GatewayClient) -> bytes:
        signature = (await gateway.offer(OfferRequest(terms=terms))).signature
        signer = recover_address(terms_digest(terms, domain), signature)
        if signer.lower() != terms.provider.lower():
            raise InsituError("SignatureMismatch", f"the offer is signed by {signer}, not by {terms.provider}")
        return signature_bytes(signature)

    async def _relay_without_coin(self, terms: Terms, permit: Permit | None, gateway: GatewayClient) -> Sent:
        try:
            return await self._relay(terms, permit, gateway)
        except InsituError as error:
            if error.code != "RelayOff":
                raise
            detail = f"{terms.consumer} cannot pay for gas, and {gateway.url} does not send purchases for consumers"
            raise InsituError("RelayOff", detail) from error

    async def _relay(self, terms: Terms, permit: Permit | None, gateway: GatewayClient) -> Sent:
        """Sign, let the gateway send it, and check on chain that it did."""
        domain = self._chain.agreements
        agreement = agreement_id(terms, domain)
        signature = "0x" + self._signer.sign_digest(terms_digest(terms, domain)).hex()
        request = PurchaseRequest(
            terms=terms, signature=signature, permit=SignedPermit.of(permit) if permit is not None else None
        )
        transaction = (await gateway.relay(request)).transaction
        while not await self._is_mined(agreement, transaction):
            if await self._chain.time() > terms.deadline:
                detail = f"{gateway.url} did not send the purchase before its deadline; nothing was or will be paid"
                raise InsituError("TransactionUnconfirmed", detail, transaction=transaction)
            transaction = await self._ask_again(request, gateway, transaction)
        return Sent(transaction, relayed=True)

    async def _ask_again(self, request: PurchaseRequest, gateway: GatewayClient, transaction: str | None) -> str | None:
        """Ask where the purchase stands, which is harmless. A refusal ends the waiting, an absent gateway does not."""
        try:
            return (await gateway.relay(request)).transaction
        except InsituError as error:
            if error.code not in PASSING:
                raise
            return transaction

    async def _is_mined(self, agreement: AgreementId, transaction: str | None) -> bool:
        """Wait some time until the agreement is locked and the transaction, if known, is in a block."""
        pauses = Pauses(LOOK)
        with anyio.move_on_after(ASK_AGAIN):
            while True:
                if (await self._chain.agreement(agreement)).locked and (
                    transaction is None or await self._chain.outcome(transaction) is not None
                ):
                    return True
                await anyio.sleep(pauses.next())
        return False
