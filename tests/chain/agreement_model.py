"""Agreements in the domain: states, deadlines, ids and amounts, without a chain.

The differential test makes the same calls here and on the contracts. Everything that the domain has is taken from it:
ids, states and the deadlines that hang on them; what it leaves to the contracts (who may call, what a call changes,
who is paid) is written down as contracts/docs says it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from insitu.domain.agreement import AgreementDomain, AgreementState, ConditionState, Settlement, Terms, agreement_id
from insitu.domain.agreement_times import MAX_TIMEOUT
from insitu.domain.did import PREFIX
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import (
    AgreementCreated,
    ComputeFulfilled,
    ComputeRefused,
    ComputeTimedOut,
    EscrowAborted,
    EscrowFulfilled,
    LedgerEvent,
    LockFulfilled,
    PaymentReleased,
)

NOBODY = Address("0x" + "0" * 40)
NO_RECEIPT = "0x" + "0" * 64
MOST_RECEIVERS, MOST_TOTAL = 8, 2**128 - 1
NEW = AgreementState(0, 0, *[ConditionState.UNINITIALIZED] * 3, closed=False)

LOCK, COMPUTE, ESCROW = range(3)
Events = tuple[LedgerEvent, ...]


class RefusedError(Exception):
    """The code of the refusal, and both sides where two values were compared."""

    def __init__(self, code: str, actual: object = None, expected: object = None) -> None:
        super().__init__(code, *[None if side is None else str(side) for side in (actual, expected)])


@dataclass
class Deal:
    """One agreement."""

    id: AgreementId
    terms: Terms
    state: AgreementState = NEW
    settled: frozenset[int] = frozenset()

    @property
    def did(self) -> str:
        return PREFIX + self.terms.did[2:]

    def conditions(self) -> tuple[ConditionState, ...]:
        return (self.state.lock, self.state.compute, self.state.escrow)

    def require(self, condition: int, expected: ConditionState) -> None:
        actual = self.conditions()[condition]
        if actual is not expected:
            raise RefusedError("ConditionNotInState", int(actual), int(expected))

    def condition_now(self, condition: int, now: int) -> ConditionState:
        """The state of a condition with the deadlines that have passed."""
        stored, state = self.conditions()[condition], self.state
        if stored is not ConditionState.UNFULFILLED:
            return stored
        if not state.locked:
            over = now > self.terms.deadline
        elif state.compute is ConditionState.UNFULFILLED and not state.refunded:
            over = now >= state.grant_ends(self.terms)
        else:
            over = now >= state.settlement_ends(self.terms)
        return ConditionState.ABORTED if over else stored


@dataclass
class Model:
    """The escrow, the token and the registry, as far as agreements touch them."""

    domain: AgreementDomain
    sellers: dict[str, frozenset[Address]]
    """did (0x…) → its owner and providers."""
    balances: Counter[Address]
    allowances: Counter[Address] = field(default_factory=Counter)
    """What the escrow may take from each."""
    deals: dict[AgreementId, Deal] = field(default_factory=dict)

    def deal(self, terms: Terms) -> Deal:
        """The agreement on these terms, which may not exist yet."""
        found = agreement_id(terms, self.domain)
        return self.deals.get(found) or Deal(found, terms)

    def known(self, terms: Terms) -> Deal:
        deal = self.deal(terms)
        if not deal.state.exists:
            raise RefusedError("AgreementUnknown")
        return deal

    # -- calls --------------------------------------------------------------------------------------------------------

    def approve(self, sender: Address, amount: int) -> Events:
        self.allowances[sender] = amount
        return ()

    def create(self, now: int, sender: Address, terms: Terms, *, signed: bool) -> Events:
        deal = self.deal(terms)
        _authorise(sender, terms.consumer, signed=signed)
        if deal.state.exists:
            raise RefusedError("AgreementExists")
        event = self._create(now, deal)
        self.deals[deal.id] = deal
        return (event,)

    def lock(self, now: int, sender: Address, terms: Terms, amount: int) -> Events:
        deal = self.known(terms)
        _only(sender, terms.consumer)
        if amount != terms.total:
            raise RefusedError("AmountMismatch", amount, terms.total)
        state, event = _locked(now, deal)
        self._pull(terms)
        deal.state = state
        return (event,)

    def create_and_lock(self, now: int, sender: Address, terms: Terms, permit: int | None, *, signed: bool) -> Events:
        deal = self.deal(terms)
        _authorise(sender, terms.consumer, signed=signed)
        events = () if deal.state.exists else (self._create(now, deal),)
        return events + self._lock_and_pay(now, deal, permit, grant=False)

    def create_lock_grant(
        self, now: int, sender: Address, terms: Terms, permit: int | None, *, signed: bool, offered: bool
    ) -> Events:
        deal = self.deal(terms)
        _authorise(sender, terms.consumer, signed=signed)
        _authorise(sender, terms.provider, signed=offered)
        events = () if deal.state.exists else (self._create(now, deal),)
        if deal.state.lock is ConditionState.UNFULFILLED:
            return events + self._lock_and_pay(now, deal, permit, grant=True)
        deal.state, event = _granted(now, deal)
        return (event,)

    def cancel(self, sender: Address, terms: Terms) -> Events:
        deal = self.known(terms)
        _only(sender, terms.consumer)
        deal.require(LOCK, ConditionState.UNFULFILLED)
        aborted = ConditionState.ABORTED
        deal.state = replace(deal.state, lock=aborted, compute=aborted, escrow=aborted)
        return (EscrowAborted(deal.id, 0, 0),)

    def grant(self, now: int, sender: Address, terms: Terms) -> Events:
        deal = self.known(terms)
        _only(sender, terms.provider)
        deal.state, event = _granted(now, deal)
        return (event,)

    def refuse(self, sender: Address, terms: Terms) -> Events:
        deal = self.known(terms)
        _only(sender, terms.provider)
        deal.require(LOCK, ConditionState.FULFILLED)
        deal.require(COMPUTE, ConditionState.UNFULFILLED)
        deal.state = replace(deal.state, compute=ConditionState.ABORTED)
        return (ComputeRefused(deal.id, deal.did, terms.consumer), self._give_back(deal))

    def refund(self, now: int, terms: Terms) -> Events:
        deal = self.known(terms)
        deal.require(LOCK, ConditionState.FULFILLED)
        deal.require(ESCROW, ConditionState.UNFULFILLED)
        granted = deal.state.granted
        deadline = deal.state.settlement_ends(terms) if granted else deal.state.grant_ends(terms)
        if now < deadline:
            raise RefusedError("NotTimedOut", now, deadline)
        if granted:
            return (self._give_back(deal),)
        deal.state = replace(deal.state, compute=ConditionState.ABORTED)
        return (ComputeTimedOut(deal.id, deal.did, terms.consumer), self._give_back(deal))

    def settle(self, now: int, sender: Address, terms: Terms, settlement: Settlement, *, signed: bool) -> Events:
        deal = self._settleable(now, terms)
        _authorise(sender, terms.provider, signed=signed)
        return self._settle(deal, [settlement])

    def settle_batch(self, now: int, sender: Address, items: Sequence[tuple[Terms, Sequence[Settlement]]]) -> Events:
        """All or nothing: what an item before has changed is undone by the caller's copy."""
        events: Events = ()
        for terms, settlements in items:
            deal = self._settleable(now, terms)
            _only(sender, terms.provider)
            events += self._settle(deal, settlements)
        return events

    # -- their parts --------------------------------------------------------------------------------------------------

    def _create(self, now: int, deal: Deal) -> LedgerEvent:
        terms = deal.terms
        if now > terms.deadline:
            raise RefusedError("DeadlinePassed", now, terms.deadline)
        for value, most in ((terms.timeout, MAX_TIMEOUT), (terms.grant_timeout, terms.timeout)):
            if not 1 <= value <= most:
                raise RefusedError("TimeoutOutOfRange", value, most)
        if terms.settle_timeout > MAX_TIMEOUT:
            raise RefusedError("TimeoutOutOfRange", terms.settle_timeout, MAX_TIMEOUT)
        self._check_split(terms)
        if terms.provider not in self.sellers.get(terms.did, ()):
            raise RefusedError("NotDIDProvider")
        unfulfilled = ConditionState.UNFULFILLED
        deal.state = AgreementState(0, now, unfulfilled, unfulfilled, unfulfilled, closed=False)
        return AgreementCreated(deal.id, terms)

    def _check_split(self, terms: Terms) -> None:
        if len(terms.amounts) != len(terms.receivers):
            raise RefusedError("LengthMismatch", len(terms.amounts), len(terms.receivers))
        if len(terms.receivers) > MOST_RECEIVERS:
            raise RefusedError("TooMany", len(terms.receivers), MOST_RECEIVERS)
        for amount, receiver in zip(terms.amounts, terms.receivers, strict=True):
            if receiver in {NOBODY, self.domain.contract}:
                raise RefusedError("InvalidReceiver")
            if amount == 0:
                raise RefusedError("ZeroAmount")
            if amount > MOST_TOTAL:
                raise RefusedError("TotalTooLarge", amount, MOST_TOTAL)
        if terms.total > MOST_TOTAL:
            raise RefusedError("TotalTooLarge", terms.total, MOST_TOTAL)

    def _lock_and_pay(self, now: int, deal: Deal, permit: int | None, *, grant: bool) -> Events:
        state, event = _locked(now, deal)
        events: Events = (event,)
        if grant:
            state, event = _granted(now, replace(deal, state=state))
            events += (event,)
        if permit is not None:
            self.allowances[deal.terms.consumer] = permit
        self._pull(deal.terms)
        deal.state = state
        self.deals[deal.id] = deal
        return events

    def _pull(self, terms: Terms) -> None:
        if not terms.total:
            return
        allowed, held = self.allowances[terms.consumer], self.balances[terms.consumer]
        if allowed < terms.total:
            raise RefusedError("AllowanceTooLow", allowed, terms.total)
        if held < terms.total:
            raise RefusedError("InsufficientFunds", held, terms.total)
        self.allowances[terms.consumer] -= terms.total
        self._move(terms.consumer, self.domain.contract, terms.total)

    def _settleable(self, now: int, terms: Terms) -> Deal:
        deal = self.known(terms)
        deal.require(COMPUTE, ConditionState.FULFILLED)
        deadline = deal.state.settlement_ends(terms)
        if now >= deadline:
            raise RefusedError("DeadlinePassed", now, deadline)
        return deal

    def _settle(self, deal: Deal, settlements: Sequence[Settlement]) -> Events:
        terms, before, events = deal.terms, deal.state, list[LedgerEvent]()
        for settlement in settlements:
            self._charge(deal, settlement)
            members = settlement.index, settlement.charge, settlement.receipt_hash, settlement.last
            events.append(PaymentReleased(deal.id, *members))
        given, due = (tuple(_shares(terms, charged)) for charged in (before.settled, deal.state.settled))
        for receiver, old, new in zip(terms.receivers, given, due, strict=True):
            self._move(self.domain.contract, receiver, new - old)
        if before.escrow is ConditionState.UNFULFILLED and deal.state.escrow is ConditionState.FULFILLED:
            rest = terms.total - deal.state.settled
            self._move(self.domain.contract, terms.consumer, rest)
            events.append(EscrowFulfilled(deal.id, deal.state.settled, rest))
        return tuple(events)

    def _charge(self, deal: Deal, settlement: Settlement) -> None:
        state, left = deal.state, deal.terms.total - deal.state.settled
        if state.refunded or state.closed:
            raise RefusedError("ConditionNotInState", int(state.escrow), int(ConditionState.UNFULFILLED))
        if settlement.charge > left:
            raise RefusedError("ChargeExceedsRemainder", settlement.charge, left)
        if settlement.receipt_hash == NO_RECEIPT:
            gives_back = settlement.last and not settlement.charge and state.escrow is ConditionState.UNFULFILLED
            if not gives_back:
                raise RefusedError("ReceiptRequired")
        if settlement.index in deal.settled:
            raise RefusedError("ExecutionAlreadySettled")
        deal.settled |= {settlement.index}
        ends = settlement.last or settlement.charge == left
        deal.state = replace(
            state,
            settled=state.settled + settlement.charge,
            closed=state.closed or settlement.last,
            escrow=ConditionState.FULFILLED if ends else state.escrow,
        )

    def _give_back(self, deal: Deal) -> LedgerEvent:
        rest = deal.terms.total - deal.state.settled
        self._move(self.domain.contract, deal.terms.consumer, rest)
        deal.state = replace(deal.state, escrow=ConditionState.ABORTED)
        return EscrowAborted(deal.id, deal.state.settled, rest)

    def _move(self, sender: Address, receiver: Address, amount: int) -> None:
        self.balances[sender] -= amount
        self.balances[receiver] += amount


def _authorise(sender: Address, signer: Address, *, signed: bool) -> None:
    if sender != signer and not signed:
        raise RefusedError("SignatureMismatch")


def _only(sender: Address, expected: Address) -> None:
    if sender != expected:
        raise RefusedError("CallerMismatch", sender, expected)


def _locked(now: int, deal: Deal) -> tuple[AgreementState, LedgerEvent]:
    deal.require(LOCK, ConditionState.UNFULFILLED)
    if now > deal.terms.deadline:
        raise RefusedError("DeadlinePassed", now, deal.terms.deadline)
    state = replace(deal.state, start=now, lock=ConditionState.FULFILLED)
    return state, LockFulfilled(deal.id, deal.did, deal.terms.provider, deal.terms.total)


def _granted(now: int, deal: Deal) -> tuple[AgreementState, LedgerEvent]:
    deal.require(LOCK, ConditionState.FULFILLED)
    deal.require(COMPUTE, ConditionState.UNFULFILLED)
    deadline = deal.state.grant_ends(deal.terms)
    if now >= deadline:
        raise RefusedError("DeadlinePassed", now, deadline)
    expires = deal.state.execution_ends(deal.terms)
    event = ComputeFulfilled(deal.id, deal.did, deal.terms.consumer, expires)
    return replace(deal.state, compute=ConditionState.FULFILLED), event


def _shares(terms: Terms, charged: int) -> Iterator[int]:
    """How much each receiver has had when so much is charged: nested floors from the last, the rest to the first."""
    total, shares = terms.total, list[int]()
    for amount in reversed(terms.amounts[1:]):
        shares.append(charged * amount // total)
        charged, total = charged - shares[-1], total - amount
    yield from reversed([*shares, charged] if terms.amounts else [])
