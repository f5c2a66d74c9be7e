"""``POST agreements``: sends a purchase that a consumer has signed, so the consumer needs no coin for gas (C3–C7).

Everything that can be known is checked before any coin is spent, by the same rules as for a grant. An accepted purchase
is an item of the outbox like any other: stored before it is sent, sent in the order of nonces, and effective once.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import anyio

from insitu.api.gateway_v1 import Purchase
from insitu.domain.agreement import AgreementState, Terms, agreement_id
from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import Call, use_permit
from insitu.domain.purchase import NO_PERMIT, SignedPermit, SignedPurchase
from insitu.domain.signatures import account_signature
from insitu.gateway.agreements.assessor import Assessment
from insitu.gateway.agreements.permission_checker import PermissionChecker
from insitu.gateway.agreements.terms_checker import TermsChecker, copies_of, require_prompt_lock, require_provider
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.wakeups import OUTBOX, RELAYS
from insitu.ports.agreement_changes import Change, Enqueue, Judge, Remember
from insitu.ports.agreement_records import ItemKind, OutboxItem, Relay, RelayLimits, Standing

logger = logging.getLogger(__name__)

PERIOD = timedelta(days=1)
KEPT = 10
"""The provider must hold this many times the cost of a purchase, because earlier sales must still be settled."""
LEAST = 15
"""Seconds that must be left before the deadline of the terms, so that a block can come in time."""
ANSWER_WITHIN = 10.0
"""Seconds that a request waits for its transaction. The transaction is sent even if nobody waits."""


async def cost_of(call: Call, ports: GatewayPorts) -> int:
    """Return what sending a call costs at most, in wei. Raises the contract's refusal, ``RelayExhausted``."""
    cost = await ports.chain.estimate(call, ports.provider)
    if await ports.chain.native_balance(ports.provider) < KEPT * cost:
        detail = f"{ports.provider} keeps its coin for grants and settlements until it receives more"
        raise InsituError("RelayExhausted", detail)
    return cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayer:
    """Accepts purchases, within limits that no stranger can exceed."""

    ports: GatewayPorts
    terms_checker: TermsChecker
    permission_checker: PermissionChecker

    async def relay(self, purchase: SignedPurchase) -> Purchase:
        """Send a purchase once and return its status. If anyone has sent it already, only return the status.

        Raises ``RelayOff``; ``SignatureMismatch``; ``DeadlinePassed``; what
        :meth:`TermsChecker.require` raises; ``InsufficientFunds``, ``AllowanceTooLow``, ``PermitInvalid``,
        ``PermitExpired``; the contract's refusal; ``RelayLimitReached``, ``RelayExhausted``; ``AgreementExists`` when
        other terms with the same seed are being sent; ``ChainUnavailable``. The refusal of an earlier try, if nothing
        has changed since.
        """
        if not self.ports.configuration.relay:
            raise InsituError("RelayOff", f"gateway.relay is off at {self.ports.configuration.public_url}")
        terms, domain = purchase.terms, self.ports.chain.agreements
        require_provider(terms, self.ports.provider)
        await self._require_consumer(purchase)
        agreement = agreement_id(terms, domain)
        state = await self.ports.chain.agreement(agreement)
        if state.locked or state.refunded:
            return await self._status(agreement, state)
        known = await self.ports.agreements.agreement(agreement)
        if known is None or known.standing is not Standing.RELAYING:
            await self._accept(agreement, purchase)
        return await self._wait(agreement)

    async def _accept(self, agreement: AgreementId, purchase: SignedPurchase) -> None:
        terms, now = purchase.terms, await self.permission_checker.now()
        if now + LEAST > terms.deadline:
            detail = f"the terms can be locked until {terms.deadline}, it is {now}, and the next block takes time"
            raise InsituError("DeadlinePassed", detail)
        await self._require_turn(terms.consumer)
        found = await self.terms_checker.require(terms)
        require_prompt_lock(terms, found, now)
        if terms.total:
            await self._require_payment(terms, purchase.permit)
        cost = await cost_of(purchase.call(self.ports.chain.agreements), self.ports)
        await self._promise(agreement, purchase, found, cost)
        self.ports.wakeups.ring(OUTBOX)

    async def _require_consumer(self, purchase: SignedPurchase) -> None:
        """Refuse a signature that is not the consumer's for these terms, this chain and these contracts."""
        domain, consumer = self.ports.chain.agreements, purchase.terms.consumer
        signature = account_signature(purchase.signature)
        if not await self.ports.chain.signed_by(consumer, purchase.digest(domain), signature):
            detail = (
                f"these terms are not signed by their consumer {consumer}, or for a contract other than"
                f" {domain.contract} on chain {domain.chain_id}"
            )
            raise InsituError("SignatureMismatch", detail, expectedSigner=consumer)

    async def _require_turn(self, consumer: Address) -> None:
        """Refuse when a limit is reached, before documents are read. The store checks it again with the promise."""
        relayed = await self.ports.agreements.relayed(consumer, self.ports.clock.now() - PERIOD)
        limit = self.ports.configuration.relays_per_day
        if relayed.purchases >= limit:
            detail = f"at most {limit} purchases of {consumer} are sent in 24 hours"
            raise InsituError("RelayLimitReached", detail, limit=limit)

    async def _require_payment(self, terms: Terms, permit: SignedPermit | None) -> None:
        escrow, price = self.ports.chain.agreements.contract, terms.total
        held = await self.ports.chain.balance(terms.consumer)
        if held < price:
            detail = f"{terms.consumer} holds {held} base units, the price is {price}"
            raise InsituError("InsufficientFunds", detail, held=str(held), price=str(price))
        if await self.ports.chain.allowance(terms.consumer, escrow) >= price:
            # This also covers a permit that someone has just used: it is spent, and the allowance is there.
            return
        if permit is None or permit.value < price:
            allowed = permit.value if permit is not None else 0
            detail = f"the permit lets the escrow take {allowed} base units, the price is {price}; {NO_PERMIT}"
            raise InsituError("AllowanceTooLow", detail, allowed=str(allowed), price=str(price))
        await self.ports.chain.estimate(use_permit(terms.consumer, escrow, permit.permit), self.ports.provider)

    async def _promise(self, agreement: AgreementId, purchase: SignedPurchase, found: Assessment, cost: int) -> None:
        """Store the promise with everything that follows from it, within the limits."""
        now, terms = self.ports.clock.now(), purchase.terms
        payload = purchase.model_dump(mode="json", by_alias=True, include={"signature", "permit"})
        item = OutboxItem(f"relay:{agreement}", ItemKind.RELAY, agreement, now, payload=payload)
        judged = Judge(
            agreement,
            Standing.RELAYING,
            now,
            versions=found.bought_versions,
            max_executions=found.policy.max_executions,
        )
        chosen = self.ports.configuration
        limits = RelayLimits(chosen.relays_per_day, chosen.relay_budget, chosen.coin_price)
        changes: list[Change] = [
            Remember(agreement, terms),
            judged,
            Enqueue(item, again=True),
            *copies_of(found, terms.deadline),
        ]
        relay = Relay(agreement, terms.consumer, terms.seed, cost, now)
        if await self.ports.agreements.promise(relay, limits, changes):
            logger.info("agreement %s of %s will be sent, for at most %d wei", agreement, terms.consumer, cost)

    async def _wait(self, agreement: AgreementId) -> Purchase:
        """Wait for the transaction of an accepted purchase. Raises the reason if it is given up."""
        transaction: str | None = None
        with anyio.move_on_after(ANSWER_WITHIN):
            while transaction is None:
                seen = self.ports.wakeups.count(RELAYS)
                known = await self.ports.agreements.agreement(agreement)
                if known is None or known.standing is not Standing.RELAYING:
                    break
                transaction = await self._transaction(agreement)
                if transaction is None:
                    await self.ports.wakeups.wait(RELAYS, seen, seconds=1)
        return await self._answer(agreement)

    async def _answer(self, agreement: AgreementId) -> Purchase:
        state = await self.ports.chain.agreement(agreement)
        if state.locked or state.refunded:
            return await self._status(agreement, state)
        known = await self.ports.agreements.agreement(agreement)
        if known is not None and known.standing is Standing.CREATED and known.reason is not None:
            code = known.reason.code if known.reason.code in ERRORS else "TransactionFailed"
            raise InsituError(code, known.reason.message)
        transaction = await self._transaction(agreement)
        return Purchase(service_agreement_id=agreement, status="sent", transaction=transaction)

    async def _status(self, agreement: AgreementId, state: AgreementState) -> Purchase:
        transaction = await self._transaction(agreement)
        status: Literal["refunded", "granted", "locked"] = "granted" if state.granted else "locked"
        if state.refunded:
            status = "refunded"
        return Purchase(service_agreement_id=agreement, status=status, transaction=transaction)

    async def _transaction(self, agreement: AgreementId) -> str | None:
        item = await self.ports.agreements.item(f"relay:{agreement}")
        return item.transaction if item is not None else None
