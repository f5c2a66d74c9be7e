"""Agreements: ask for a price, buy, wait for the grant, look up, close, refund (C1–C8)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import anyio

from insitu.api.gateway_v1 import CheckRequest, CloseRequest, Closing, Quote
from insitu.domain.agreement import AgreementState, Terms, agreement_id
from insitu.domain.amount import Amount, AmountLike
from insitu.domain.canonical import JsonObject
from insitu.domain.did import Did
from insitu.domain.errors import ERRORS, InsituError
from insitu.domain.ids import AgreementId, read_agreement_id
from insitu.domain.ledger import AgreementCreated, Call, cancel, refund, settle
from insitu.domain.workflow import Workflow
from insitu.ports.chain import Chain, Mined
from insitu.ports.keys import Signer
from insitu.sdk.amounts import read_amount, shown_amount
from insitu.sdk.arguments import refuse
from insitu.sdk.gateway import GatewayClient, gateway_url
from insitu.sdk.grants import wait_for_grant
from insitu.sdk.purchases import Purchases
from insitu.sdk.quotes import WantedWorkflow, read_planned, read_wanted, terms_of, verify_quote
from insitu.sdk.resolving import Resolver

Status = Literal["created", "locked", "granted", "refunded", "settled", "closed", "expired"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A service agreement: its terms, and where it stands on chain.

    Attributes
    ----------
    id
        serviceAgreementId. It is all you need to execute, even later and from elsewhere.
    terms, state
        As on chain, with amounts in base units.
    now
        The chain's time when the agreement was looked up, in seconds since 1970.
    transaction
        The purchase, if this call made it.
    relayed
        Whether the gateway sent that transaction for this account.
    """

    id: AgreementId
    terms: Terms
    state: AgreementState
    now: int
    price: Amount
    transaction: str | None = None
    relayed: bool = False

    @property
    def did(self) -> str:
        """The data set that the agreement names: the workflow's first input."""
        return str(Did.from_hex(self.terms.did))

    @property
    def workflow_did(self) -> str:
        """The workflow that was bought."""
        return str(Did.from_hex(self.terms.workflow_id))

    @property
    def status(self) -> Status:
        """Where it stands, in one word."""
        if self.state.refunded:
            return "refunded"
        if self.state.closed:
            return "closed"
        if not self.state.locked:
            return "created"
        if not self.state.granted:
            return "locked"
        if self.price and self.state.settled == self.terms.total:
            return "settled"
        return "expired" if self.now >= self.state.execution_ends(self.terms) else "granted"

    @property
    def executable(self) -> bool:
        """Whether executions may start."""
        return self.state.permits(self.terms, self.now)

    @property
    def ends_at(self) -> datetime:
        """When the last execution may start."""
        return datetime.fromtimestamp(self.state.execution_ends(self.terms), UTC)


class Agreements:
    """Buys services for one account; ``client.agreements``."""

    def __init__(
        self, chain: Chain, signer: Signer, resolver: Resolver, gateway_at: Callable[[str], GatewayClient]
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._resolver = resolver
        self._gateway_at = gateway_at
        self._purchases = Purchases(chain, signer)
        self._trusted = False
        self._terms: dict[AgreementId, Terms] = {}

    async def check(self, workflow_did: str, service_index: int | None = None) -> Quote:
        """Ask whether a workflow may run, on which server and for how much, and check that against the documents.

        ``service_index`` is the serviceDefinitionId of the first input's compute service. A quote that is not
        ``allowed`` says why.

        Raises ``TermsMismatch``, ``TemplateNotApproved``, ``NotDIDProvider``, and what resolving raises.
        """
        return (await self._quote(workflow_did, service_index))[0]

    async def check_planned(self, described: JsonObject, service_index: int | None = None) -> Quote:
        """Ask like :meth:`check` about a workflow that is not published; ``described`` is its ``main.workflow``.

        A stage without ``transformation.id`` runs an algorithm that this account has not published.
        """
        wanted = await read_planned(self._resolver, self._chain, Workflow.read(described), service_index)
        request = CheckRequest(consumer=self._signer.address, workflow=described, service_index=service_index)
        return (await self._ask(wanted, request))[0]

    async def require_revision(self, agreement: str, described: JsonObject) -> None:
        """Refuse a workflow that may not run as a revision under an agreement; ``described`` is its ``main.workflow``.

        Raises ``RevisionNotAllowed``, ``RevisionChangesPurchase``, or the code of another first reason.
        """
        terms = await self.terms(agreement)
        gateway = self._gateway_at(gateway_url(await self._resolver.endpoint(terms)))
        wanted = CheckRequest(
            consumer=self._signer.address, workflow=described, service_agreement_id=read_agreement_id(agreement)
        )
        _require_allowed(await gateway.check(wanted))

    async def require_agreeable(self, quote: Quote, max_price: AmountLike | None = None) -> None:
        """Refuse a quote that this account would not accept or could not pay.

        Raises ``PriceTooHigh``, ``InsufficientFunds``, or the code of the first reason why the workflow may not run.
        """
        _require_allowed(quote)
        limit = None if max_price is None else await read_amount(max_price, self._chain)
        if limit is not None and quote.price > limit:
            raise InsituError(
                "PriceTooHigh", f"the price is {quote.price}, the limit {limit}", price=str(quote.price.base_units)
            )
        await self._require_funds(quote.price.base_units)

    async def _quote(self, workflow_did: str, service_index: int | None) -> tuple[Quote, GatewayClient]:
        wanted = await read_wanted(self._resolver, self._chain, workflow_did, service_index)
        consumer = self._signer.address
        return await self._ask(
            wanted, CheckRequest(consumer=consumer, workflow_did=workflow_did, service_index=service_index)
        )

    async def _ask(self, wanted: WantedWorkflow, request: CheckRequest) -> tuple[Quote, GatewayClient]:
        gateway, consumer = self._gateway_at(gateway_url(wanted.endpoint)), self._signer.address
        quote = await gateway.check(request)
        if quote.allowed:
            await verify_quote(quote, wanted, self._chain, consumer)
        return await _count_in_tokens(quote, self._chain), gateway

    async def buy(
        self,
        workflow_did: str,
        *,
        service_index: int | None = None,
        max_price: AmountLike | None = None,
        seed: str | None = None,
        wait: bool = True,
        relay: bool | None = None,
        offer: bool = False,
    ) -> Agreement:
        """Buy a workflow (C1–C8): check it, agree on the terms, create and lock in one transaction, await the grant.

        Parameters
        ----------
        max_price
            Tokens, ``"10.5"`` or ``10``, or an ``Amount``; a higher price is refused before any money moves.
        seed
            The random part of the id, 64 hexadecimal digits. Store it before calling and you can repeat the call:
            an agreement of this account with this seed is found and not bought again.
        wait
            Return only once the provider has granted.
        relay
            Let the gateway send what is signed here and pay for the gas: True always, False never, None if this
            account cannot pay for it. The gateway grants in the same transaction.
        offer
            Ask the provider for a signed offer and send it along. Then this account's transaction is granted at once,
            and pays for the gas of the grant.

        Raises ``PriceTooHigh``, ``InsufficientFunds``, ``TemplateNotApproved``, ``ContractMismatch``,
        ``AgreementRefused``, ``AgreementNotGranted``, ``RelayOff``, ``RelayLimitReached``, ``RelayExhausted``,
        ``OfferRefused``, or the code of the first reason why the workflow may not run.
        """
        refuse("Agreements.buy", relay=relay, offer=offer)
        bought = await self._find_by_seed(seed) if seed is not None else None
        if bought is None:
            quote, gateway = await self._agree(workflow_did, service_index, max_price)
            bought = await self._send(quote, gateway, seed, relay=relay, offer=offer)
        if not wait:
            return bought
        mined = await self._chain.outcome(bought.transaction) if bought.transaction is not None else None
        await wait_for_grant(self._chain, bought.id, bought.terms, mined.block if mined is not None else None)
        granted = await self._look_up(bought.id, bought.terms)
        return replace(granted, transaction=bought.transaction, relayed=bought.relayed)

    async def show(self, agreement: str) -> Agreement:
        """Return an agreement by its id. Raises ``AgreementUnknown``."""
        wanted = read_agreement_id(agreement)
        return await self._look_up(wanted, await self.terms(wanted))

    async def terms(self, agreement: str) -> Terms:
        """Return the terms behind an agreement's id. They never change. Raises ``AgreementUnknown``."""
        wanted = read_agreement_id(agreement)
        if wanted not in self._terms:
            terms = await self._chain.find_terms(wanted)
            if terms is None or agreement_id(terms, self._chain.agreements) != wanted:
                raise InsituError("AgreementUnknown", f"the chain has no agreement {wanted}", agreement=wanted)
            self._terms[wanted] = terms
        return self._terms[wanted]

    async def wait_for_grant(self, agreement: str) -> Agreement:
        """Return once the provider has granted (C8).

        Raises ``AgreementRefused`` if the money went back, and ``AgreementNotGranted`` if it is too late for a grant.
        """
        found = await self.show(agreement)
        await wait_for_grant(self._chain, found.id, found.terms)
        return await self._look_up(found.id, found.terms)

    async def list(self) -> tuple[Agreement, ...]:
        """List the agreements of the account, newest first."""
        created = await self._chain.find_agreements(self._signer.address)
        return tuple([await self._look_up(event.agreement_id, event.terms) for event in created])

    async def refund(self, agreement: str) -> Mined:
        """Send the money of a timed-out agreement back to its consumer. Anybody may do this.

        Raises ``NotTimedOut`` with the deadline, and ``ConditionNotInState``.
        """
        found = await self.show(agreement)
        return await self._chain.transact(refund(found.terms), self._signer)

    async def preview_close(self, agreement: str) -> Closing:
        """Say what closing an agreement costs now, and what comes back. Raises as :meth:`close` does."""
        return await self._close(agreement, None)

    async def close(self, agreement: str, *, max_charge: AmountLike = 0) -> Closing:
        """End an agreement early and get its price back. It never costs less than waiting.

        What would be charged at the agreement's end is charged now: the price, if an execution failed at the consumer's
        risk and none succeeded. Otherwise the whole price comes back, in a transaction of the provider, or of this
        account if the provider has no gas left for it or has not been paid yet. Nothing starts afterwards.

        Parameters
        ----------
        max_charge
            Tokens, ``"10.5"`` or ``10``, or an ``Amount``; a higher charge is refused, and nothing is closed.

        Raises ``AgreementUnknown``, ``NotConsumer``, ``ExecutionInProgress``, ``PriceTooHigh``.
        """
        return await self._close(agreement, await read_amount(max_charge, self._chain))

    async def _close(self, agreement: str, limit: Amount | None) -> Closing:
        found = await self.show(agreement)
        call = _closing_call(found)
        if call is not None:
            back = found.terms.total - found.state.settled if found.state.locked else 0
            if limit is not None:
                await self._chain.transact(call, self._signer)
            status: Literal["open", "refunded"] = "open" if limit is None else "refunded"
            charge, returned = Amount.from_base_units(found.state.settled), Amount.from_base_units(back)
            answer = Closing(service_agreement_id=found.id, status=status, charge=charge, returned=returned)
        else:
            gateway = self._gateway_at(gateway_url(await self._resolver.endpoint(found.terms)))
            answer = await gateway.preview_close(found.id)
            if limit is not None:
                answer = await self._close_at(gateway, found, answer, limit)
        amounts = {name: await read_amount(getattr(answer, name), self._chain) for name in ("charge", "returned")}
        return answer.model_copy(update=amounts)

    async def _close_at(self, gateway: GatewayClient, found: Agreement, known: Closing, limit: Amount) -> Closing:
        charge = await read_amount(known.charge, self._chain)
        if charge > limit:
            raise InsituError("PriceTooHigh", f"closing costs {charge}, the limit is {limit}")
        answer = await gateway.close(found.id, CloseRequest(charge=known.charge))
        if answer.settlement is None:
            return answer
        settlement, signature = answer.settlement.settlement, answer.settlement.signature
        if settlement.charge or not settlement.last:
            raise InsituError("AmountMismatch", "the settlement to send does not return the whole price")
        await self._chain.transact(settle(found.terms, settlement, bytes.fromhex(signature[2:])), self._signer)
        return answer.model_copy(update={"status": "closed", "settlement": None})

    async def _agree(
        self, workflow_did: str, service_index: int | None, max_price: AmountLike | None
    ) -> tuple[Quote, GatewayClient]:
        """Return the quote that this account agrees to, and the gateway that gave it (C1, C2)."""
        quote, gateway = await self._quote(workflow_did, service_index)
        await self.require_agreeable(quote, max_price)
        await self._trust_contracts()
        return quote, gateway

    async def _send(
        self, quote: Quote, gateway: GatewayClient, seed: str | None, *, relay: bool | None, offer: bool
    ) -> Agreement:
        """Send the purchase, or find the one that an earlier call with the same seed left with the gateway."""
        async with self._purchases.turn(quote.price.base_units):
            # The time for locking starts here, and earlier purchases are paid already.
            terms = terms_of(quote, self._signer.address, await self._chain.time(), seed)
            await self._require_funds(terms.total)
            try:
                sent = await self._purchases.send(terms, gateway, relay=relay, offer=offer)
            except InsituError as error:
                if seed is None or error.code != "AgreementExists":
                    raise
                sent = None
        if sent is None:
            return await self._wait_for_earlier(terms)
        bought = await self._look_up(agreement_id(terms, self._chain.agreements), terms)
        return replace(bought, transaction=sent.transaction, relayed=sent.relayed)

    async def _wait_for_earlier(self, terms: Terms) -> Agreement:
        while await self._chain.time() <= terms.deadline:
            found = await self._find_by_seed(terms.seed)
            if found is not None and found.state.locked:
                return replace(found, relayed=True)
            await anyio.sleep(1)
        raise InsituError(
            "TransactionUnconfirmed", "an earlier purchase with this seed was not sent before its deadline"
        )

    async def _find_by_seed(self, seed: str) -> Agreement | None:
        wanted = "0x" + read_agreement_id(seed)
        created: tuple[AgreementCreated, ...] = await self._chain.find_agreements(self._signer.address)
        for event in created:
            if event.terms.seed == wanted:
                return await self._look_up(event.agreement_id, event.terms)
        return None

    async def _trust_contracts(self) -> None:
        """Check that the contracts have our code and the template is approved, before paying them."""
        if not self._trusted:
            await self._chain.verify()
            self._trusted = True

    async def _require_funds(self, total: int) -> None:
        held = await self._chain.balance(self._signer.address)
        if held < total:
            own, price = [await shown_amount(number, self._chain) for number in (held, total)]
            detail = f"{self._signer.address} holds {own}, the price is {price}"
            raise InsituError("InsufficientFunds", detail, held=held, price=total)

    async def _look_up(self, wanted: AgreementId, terms: Terms) -> Agreement:
        state, now = await self._chain.agreement(wanted), await self._chain.time()
        return Agreement(wanted, terms, state, now, await shown_amount(terms.total, self._chain))


def _closing_call(found: Agreement) -> Call | None:
    """Return the call with which its consumer ends an agreement alone, or None if it takes the provider."""
    state, terms = found.state, found.terms
    if state.refunded or state.closed:
        return None
    if not state.locked:
        return cancel(terms)
    ends = state.settlement_ends(terms) if state.granted else state.grant_ends(terms)
    return refund(terms) if found.now >= ends and state.settled < terms.total else None


async def _count_in_tokens(quote: Quote, chain: Chain) -> Quote:
    receivers = [
        receiver.model_copy(update={"amount": await read_amount(receiver.amount, chain)})
        for receiver in quote.receivers
    ]
    price = await read_amount(quote.price, chain)
    return quote.model_copy(update={"price": price, "receivers": tuple(receivers)})


def _require_allowed(quote: Quote) -> None:
    if quote.allowed:
        return
    reasons = [reason.model_dump(mode="json") for reason in quote.reasons]
    first = quote.reasons[0] if quote.reasons else None
    code = first.code if first is not None and first.code in ERRORS else "TermsMismatch"
    raise InsituError(code, first.message if first is not None else "the gateway refused", reasons=reasons)
