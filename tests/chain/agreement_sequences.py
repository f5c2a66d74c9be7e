"""Random calls on agreements, made at the same times on the domain's model and on deployed contracts, and compared."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from typing_extensions import override

from insitu.adapters.chain.bytecode import read_view
from insitu.adapters.chain.contracts import invoke
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import DevSigner, dev_signer
from insitu.domain.agreement import Settlement, Terms, agreement_id, settlement_digest, terms_digest
from insitu.domain.did import hash_did
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import (
    Call,
    create_and_lock,
    create_lock_grant,
    grant,
    refund,
    refuse,
    register_attribute,
    settle,
    settle_batch,
)
from tests.allowances import approve
from tests.chain.agreement_model import NO_RECEIPT, NOBODY, Deal, Events, Model, RefusedError

T = TypeVar("T")
ModelCall = Callable[[Model, int], Events]
"""Makes a call of the model at a time."""


NAMES = ("consumer", "second-consumer", "provider", "owner", "stranger")
SIGNERS = {name: dev_signer(name) for name in NAMES}
WORKFLOW = "0x" + "33" * 32

people = st.sampled_from(NAMES)
consumers = st.sampled_from(("consumer", "consumer", "second-consumer"))
providers = st.sampled_from(("provider",) * 5 + ("owner", "stranger"))
amounts = st.one_of(
    st.integers(1, 50), st.integers(1, 50), st.integers(1, 3), st.sampled_from([1, 7, 0, 2**127, 2**128])
)
mostly = st.sampled_from([True] * 7 + [False])


class Market:
    """The chain that all sequences share, with one asset that `provider` sells for `owner`."""

    def __init__(self, chain: EmbeddedChain, runner: asyncio.Runner) -> None:
        self.chain = chain
        self._runner = runner
        seed = bytes.fromhex("ab" * 32)
        register = register_attribute(seed, bytes(32), [SIGNERS["provider"].address], "http://127.0.0.1/")
        self.run(chain.transact(register, SIGNERS["owner"]))
        self.did = "0x" + hash_did(seed, SIGNERS["owner"].address).digits
        self._snapshot = self.run(chain.rpc("evm_snapshot"))

    def begin_again(self) -> None:
        """Take back all that the last sequence did, so that a sequence is the same whenever it is run."""
        self.run(self.chain.rpc("evm_revert", self._snapshot))
        self._snapshot = self.run(self.chain.rpc("evm_snapshot"))

    def run(self, work: Awaitable[T]) -> T:
        async def waited() -> T:
            return await work

        return self._runner.run(waited())

    @property
    def mined_at(self) -> int:
        """The time of the newest block."""
        block: Any = self.run(self.chain.rpc("eth_getBlockByNumber", "latest", False))
        return int(block["timestamp"], 16)


class Agreements(RuleBasedStateMachine):
    """One random sequence."""

    market: ClassVar[Market]
    outcomes: ClassVar[Counter[str]] = Counter()
    """How often each kind of call succeeded, and each refusal was met, in all sequences."""

    @initialize(granted=st.booleans())
    def begin(self, granted: bool) -> None:
        """Start with one agreement that is locked, perhaps granted, and one that exists only on paper."""
        chain = self.market.chain
        self.market.begin_again()
        self.terms: list[Terms] = []
        self.now = self.market.mined_at
        self.mined = self.now
        held = {one.address: self.market.run(chain.balance(one.address)) for one in SIGNERS.values()}
        escrow = chain.contract("EscrowReward")
        held[escrow] = self.market.run(chain.balance(escrow))
        allowed = {one.address: self.market.run(chain.allowance(one.address, escrow)) for one in SIGNERS.values()}
        sellers = frozenset({SIGNERS["owner"].address, SIGNERS["provider"].address})
        self.model = Model(chain.agreements, {self.market.did: sellers}, Counter(held), Counter(allowed))
        for signer in (SIGNERS["consumer"], SIGNERS["second-consumer"]):
            self.terms.append(self.plain_terms(signer.address))
        first, provider = self.terms[0], SIGNERS["provider"]
        permit, allowed = self.permit(first, 0)
        consumer, locking = SIGNERS["consumer"].address, create_and_lock(first, b"", permit)
        self.call("consumer", locking, lambda m, now: m.create_and_lock(now, consumer, first, allowed, signed=False))
        if granted:
            self.call("provider", grant(first), lambda m, now: m.grant(now, provider.address, first))

    # -- what may be called -------------------------------------------------------------------------------------------

    @rule(
        data=st.data(),
        consumer=consumers,
        provider=providers,
        split=st.lists(st.tuples(amounts, people), max_size=3),
        wait=st.integers(0, 60),
        times=st.sampled_from([(30, 60, 20)] * 12 + [(60, 60, 0), (0, 60, 20), (61, 60, 20), (1, 366 * 86400 + 1, 0)]),
        registered=mostly,
    )
    def draft(
        self,
        data: st.DataObject,
        consumer: str,
        provider: str,
        split: list[tuple[int, str]],
        wait: int,
        times: tuple[int, int, int],
        registered: bool,
    ) -> None:
        """Write terms; nothing is sent."""
        receivers = [SIGNERS[name].address for _, name in split]
        shape = data.draw(st.sampled_from(["right"] * 20 + ["short", "nobody", "escrow", "many"]))
        shares = [amount for amount, _ in split]
        if shape == "short":
            shares = shares[1:]
        if shape in {"nobody", "escrow"} and receivers:
            receivers[-1] = NOBODY if shape == "nobody" else self.model.domain.contract
        if shape == "many":
            shares, receivers = [1] * 9, [SIGNERS["owner"].address] * 9
        grant_timeout, timeout, settle_timeout = times
        changed = {
            "did": self.market.did if registered else "0x" + "77" * 32,
            "provider": SIGNERS[provider].address,
            "deadline": self.now + wait,
            "grant_timeout": grant_timeout,
            "timeout": timeout,
            "settle_timeout": settle_timeout,
            "amounts": tuple(shares),
            "receivers": tuple(receivers),
        }
        self.terms.append(self.plain_terms(SIGNERS[consumer].address).model_copy(update=changed))

    @rule(consumer=consumers, amount=st.integers(20, 300))
    def approve(self, consumer: str, amount: int) -> None:
        who = SIGNERS[consumer].address
        self.call(consumer, approve(self.model.domain.contract, amount), lambda model, _: model.approve(who, amount))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly, sender=people)
    def create(self, data: st.DataObject, right: bool, sender: str) -> None:
        terms = self.chosen(data, made=False)
        signature = self.signed(terms, right)
        who = SIGNERS[sender].address
        call = Call("ServiceExecutionTemplate", "createAgreement", (terms.as_tuple(), signature))
        self.call(sender, call, lambda model, now: model.create(now, who, terms, signed=right))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly, extra=st.sampled_from([0, 0, 0, 1]))
    def lock(self, data: st.DataObject, right: bool, extra: int) -> None:
        terms = self.chosen(data)
        sender = self.name(terms.consumer) if right else "stranger"
        who, amount = SIGNERS[sender].address, min(terms.total + extra, 2**256 - 1)
        call = Call("LockRewardCondition", "fulfill", (terms.as_tuple(), self.model.domain.contract, amount))
        self.call(sender, call, lambda model, now: model.lock(now, who, terms, amount))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly, sender=people, permitted=st.sampled_from([0, 0, 0, 1, None]))
    def create_and_lock(self, data: st.DataObject, right: bool, sender: str, permitted: int | None) -> None:
        terms = self.chosen(data, made=False)
        permit, allowed = self.permit(terms, permitted)
        who = SIGNERS[sender].address
        call = create_and_lock(terms, self.signed(terms, right), permit)
        self.call(sender, call, lambda model, now: model.create_and_lock(now, who, terms, allowed, signed=right))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly, offered=mostly, sender=people, permitted=st.sampled_from([0, 0, None]))
    def create_lock_grant(
        self, data: st.DataObject, right: bool, offered: bool, sender: str, permitted: int | None
    ) -> None:
        terms = self.chosen(data, made=False)
        permit, allowed = self.permit(terms, permitted)
        who = SIGNERS[sender].address
        digest = terms_digest(terms, self.model.domain)
        offer = self.signer(terms.provider if offered else NOBODY).sign_digest(digest)
        call = create_lock_grant(terms, self.signed(terms, right), permit, offer)

        def model(model: Model, now: int) -> Events:
            return model.create_lock_grant(now, who, terms, allowed, signed=right, offered=offered)

        self.call(sender, call, model)

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly)
    def cancel(self, data: st.DataObject, right: bool) -> None:
        terms = self.chosen(data)
        sender = self.name(terms.consumer) if right else "stranger"
        call = Call("ServiceExecutionTemplate", "cancel", (terms.as_tuple(),))
        self.call(sender, call, lambda model, _: model.cancel(SIGNERS[sender].address, terms))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly)
    def grant(self, data: st.DataObject, right: bool) -> None:
        terms = self.chosen(data)
        sender = self.name(terms.provider) if right else "stranger"
        self.call(sender, grant(terms), lambda model, now: model.grant(now, SIGNERS[sender].address, terms))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly)
    def refuse(self, data: st.DataObject, right: bool) -> None:
        terms = self.chosen(data)
        sender = self.name(terms.provider) if right else "stranger"
        self.call(sender, refuse(terms), lambda model, _: model.refuse(SIGNERS[sender].address, terms))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), sender=people)
    def refund(self, data: st.DataObject, sender: str) -> None:
        terms = self.chosen(data)
        self.call(sender, refund(terms), lambda model, now: model.refund(now, terms))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), right=mostly, sender=people)
    def settle(self, data: st.DataObject, right: bool, sender: str) -> None:
        terms = self.chosen(data)
        settlement = self.settlement(data, terms)
        digest = settlement_digest(agreement_id(terms, self.model.domain), settlement, self.model.domain)
        signature = self.signer(terms.provider if right else NOBODY).sign_digest(digest)
        who = SIGNERS[sender].address
        call = settle(terms, settlement, signature)
        self.call(sender, call, lambda model, now: model.settle(now, who, terms, settlement, signed=right))

    @precondition(lambda self: self.terms)
    @rule(data=st.data(), count=st.integers(1, 2), right=mostly)
    def settle_batch(self, data: st.DataObject, count: int, right: bool) -> None:
        chosen = [self.chosen(data) for _ in range(count)]
        each = st.integers(0, 3)
        items = [(terms, [self.settlement(data, terms) for _ in range(data.draw(each))]) for terms in chosen]
        sender = self.name(chosen[0].provider) if right else "stranger"
        who = SIGNERS[sender].address
        self.call(sender, settle_batch(items), lambda model, now: model.settle_batch(now, who, items))

    @rule(data=st.data(), shift=st.sampled_from([-1, 0, 0, 1]))
    def pass_time(self, data: st.DataObject, shift: int) -> None:
        """Go to just before, at, or just after a deadline that the domain says is to come; a block is mined there."""
        deals = [self.model.deal(terms) for terms in self.terms]
        ends = [(end, deal.terms) for deal in deals for end in deadlines(deal) if 0 < end + shift - self.now < 1000]
        if not ends:
            return
        until, terms = data.draw(st.sampled_from(ends))
        self.now = self.mined = until + shift
        self.market.run(self.market.chain.rpc("evm_setNextBlockTimestamp", self.now))
        self.market.run(self.market.chain.rpc("evm_mine"))
        self.market.run(self.compared_deal(self.model.deal(terms)))

    @rule(data=st.data(), last=st.booleans())
    def go_on(self, data: st.DataObject, last: bool) -> None:
        """Do what the model says is possible now: most other calls come too early, too late, or from the wrong one."""
        possible = []
        for terms in self.terms:
            left = terms.total - self.model.deal(terms).state.settled
            if not 0 <= left < 2**128:
                continue
            settlement = Settlement(index=len(possible), charge=left // 2, receipt_hash="0x" + "55" * 32, last=last)
            for sender, call, model in _right_calls(terms, settlement, self.model.domain.contract):
                try:
                    model(deepcopy(self.model), self.now + 1)
                except RefusedError:
                    continue
                possible.append((sender, call, model))
        if possible:
            kinds = sorted({(call.contract, call.function) for _, call, _ in possible})
            kind = data.draw(st.sampled_from(kinds))
            fitting = [one for one in possible if (one[1].contract, one[1].function) == kind]
            sender, call, model = data.draw(st.sampled_from(fitting))
            self.call(self.name(sender), call, model)

    @rule(data=st.data(), last=st.booleans())
    def go_on_once_more(self, data: st.DataObject, last: bool) -> None:
        self.go_on(data, last)

    @rule(data=st.data(), shift=st.sampled_from([-1, 0, 0, 1]))
    def pass_more_time(self, data: st.DataObject, shift: int) -> None:
        self.pass_time(data, shift)

    def plain_terms(self, consumer: Address) -> Terms:
        """Good terms, so that a sequence has something to continue with."""
        return Terms(
            seed=f"0x{len(self.terms):064x}",
            did=self.market.did,
            inputs_hash="0x" + "22" * 32,
            workflow_id=WORKFLOW,
            workflow_hash="0x" + "44" * 32,
            consumer=consumer,
            provider=SIGNERS["provider"].address,
            service_index=1,
            deadline=self.now + 60,
            grant_timeout=30,
            timeout=60,
            settle_timeout=20,
            amounts=(7, 5, 3),
            receivers=(SIGNERS["owner"].address, SIGNERS["provider"].address, SIGNERS["owner"].address),
        )

    def right_calls(self, terms: Terms) -> dict[str, tuple[Address, Call, ModelCall]]:
        """Every call by its name, made by the one who may make it; settlements by what they charge."""
        left = terms.total - self.model.deal(terms).state.settled
        digest = terms_digest(terms, self.model.domain)
        offer = self.signer(terms.provider).sign_digest(digest)
        consumer, receipt = terms.consumer, "0x" + "55" * 32
        whole = create_lock_grant(terms, b"", None, offer)

        def granted(model: Model, now: int) -> Events:
            return model.create_lock_grant(now, consumer, terms, None, signed=False, offered=True)

        calls: dict[str, tuple[Address, Call, ModelCall]] = {"createLockGrant": (consumer, whole, granted)}
        charges = {"half": (3, left // 2, False), "rest": (4, left, False), "last": (5, left // 2, True)}
        for name, (index, charge, last) in charges.items():
            one = Settlement(index=index, charge=charge, receipt_hash=receipt, last=last)
            for made in _right_calls(terms, one, self.model.domain.contract):
                call = made[1]
                plain = call.function if call.function != "fulfill" else f"{call.contract}.fulfill"
                calls[name if plain == "EscrowReward.fulfill" else plain] = made
        return calls

    def right_call(self, terms: Terms, name: str) -> None:
        """Make one of :meth:`right_calls`."""
        sender, call, model = self.right_calls(terms)[name]
        self.call(self.name(sender), call, model)

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Take back what is done inside, on the chain and in the model."""
        kept = deepcopy(self.model), self.now, self.mined
        snapshot = self.market.run(self.market.chain.rpc("evm_snapshot"))
        yield
        self.market.run(self.market.chain.rpc("evm_revert", snapshot))
        self.model, self.now, self.mined = kept

    # -- how they are drawn -------------------------------------------------------------------------------------------

    def chosen(self, data: st.DataObject, *, made: bool = True) -> Terms:
        """Terms, mostly of agreements that are ``made``, or are not."""
        known = self.model.deals.keys()
        fitting = [terms for terms in self.terms if (agreement_id(terms, self.model.domain) in known) is made]
        return data.draw(st.sampled_from([*self.terms, *fitting * 6]))

    def settlement(self, data: st.DataObject, terms: Terms) -> Settlement:
        left = max(0, terms.total - self.model.deal(terms).state.settled)
        charges = [left, left, left // 2, left // 3, 0, left + 1]
        return Settlement(
            index=data.draw(st.sampled_from([0, 1, 2, 63, 64, 65, 2**32 - 1])),
            charge=min(data.draw(st.sampled_from(charges)), 2**128 - 1),
            receipt_hash=data.draw(st.sampled_from(["0x" + "55" * 32] * 4 + [NO_RECEIPT])),
            last=data.draw(st.sampled_from([False, False, True])),
        )

    def name(self, address: Address) -> str:
        return next(name for name, signer in SIGNERS.items() if signer.address == address)

    def signer(self, address: Address) -> DevSigner:
        """The key of an account; somebody else's for nobody's."""
        return next((one for one in SIGNERS.values() if one.address == address), dev_signer("relayer"))

    def signed(self, terms: Terms, right: bool) -> bytes:
        return self.signer(terms.consumer if right else NOBODY).sign_digest(terms_digest(terms, self.model.domain))

    def permit(self, terms: Terms, less: int | None) -> tuple[Any, int | None]:
        """A permit for the price less something, and what it allows; none for None."""
        if less is None or not 0 < terms.total < 2**200:
            return None, None
        value = terms.total - less
        signer, deadline = self.signer(terms.consumer), self.now + 10_000
        made = self.market.chain.permit(signer, self.model.domain.contract, value, deadline)
        return self.market.run(made), value

    # -- how they are made --------------------------------------------------------------------------------------------

    def call(self, sender: str, call: Call, model: ModelCall) -> None:
        """Make a call of both at the same time, and compare what comes of it."""
        now = self.now + 1
        changed = deepcopy(self.model)
        try:
            expected: Events | RefusedError = model(changed, now)
        except RefusedError as refusal:
            expected = refusal
        if isinstance(expected, RefusedError):
            assert self.market.run(self.refused(call, SIGNERS[sender].address, now)) == expected.args
            self.outcomes[str(expected.args[0])] += 1
            return
        found = self.market.run(self.sent(call, SIGNERS[sender], now))
        assert list(found) == list(expected)
        self.outcomes[f"{call.contract}.{call.function}"] += 1
        before, self.model, self.now, self.mined = self.model, changed, now, now
        self.market.run(self.compared_balances())
        for deal in changed.deals.values():
            if deal != before.deals.get(deal.id):
                self.market.run(self.compared_deal(deal))

    async def refused(self, call: Call, sender: Address, now: int) -> tuple[object, ...]:
        """The refusal of the contracts; nothing is mined."""
        await self.market.chain.rpc("evm_setNextBlockTimestamp", now)
        try:
            await self.market.chain.estimate(call, sender)
        except InsituError as error:
            return RefusedError(error.code, error.context.get("actual"), error.context.get("expected")).args
        return ("is not refused",)

    async def sent(self, call: Call, signer: DevSigner, now: int) -> Events:
        await self.market.chain.rpc("evm_setNextBlockTimestamp", now)
        mined = await self.market.chain.transact(call, signer)
        return tuple(logged.event for logged in mined.events)

    # -- what is compared whenever a block was mined ------------------------------------------------------------------

    @override
    def teardown(self) -> None:
        for terms in self.terms:
            self.market.run(self.compared_deal(self.model.deal(terms)))

    async def compared_balances(self) -> None:
        model = self.model
        found = await asyncio.gather(*(self.market.chain.balance(account) for account in model.balances))
        assert dict(zip(model.balances, found, strict=True)) == dict(model.balances)

    async def compared_deal(self, deal: Deal) -> None:
        chain, terms = self.market.chain, deal.terms
        template, given = chain.contract("ServiceExecutionTemplate"), deal.terms.as_tuple()
        assert await chain.agreement(deal.id) == deal.state
        for position in range(3):
            view = invoke("ConditionStoreManager", "getConditionState", given, position)
            now = await read_view(chain._rpc, template, view, "latest")
            assert now == deal.condition_now(position, self.mined)
        asked = invoke("ComputeExecutionCondition", "checkPermissions", given, terms.consumer, WORKFLOW)
        permitted = await read_view(chain._rpc, template, asked, "latest")
        assert permitted == deal.state.permits(terms, self.mined)
        for index in (0, 64):
            settled = invoke("AgreementStoreManager", "isExecutionSettled", bytes.fromhex(deal.id), index)
            assert await read_view(chain._rpc, template, settled, "latest") == (index in deal.settled)


def deadlines(deal: Deal) -> tuple[int, ...]:
    """The times of an agreement at which something becomes possible or impossible."""
    state, terms = deal.state, deal.terms
    if not state.locked:
        return (terms.deadline,)
    return (state.grant_ends(terms), state.execution_ends(terms), state.settlement_ends(terms))


def _right_calls(terms: Terms, settlement: Settlement, escrow: Address) -> Iterator[tuple[Address, Call, ModelCall]]:
    """Every call on an agreement, by the one who may make it."""
    consumer, provider, given = terms.consumer, terms.provider, terms.as_tuple()
    template = "ServiceExecutionTemplate"
    yield consumer, create_and_lock(terms), lambda m, t: m.create_and_lock(t, consumer, terms, None, signed=False)
    create = Call(template, "createAgreement", (given, b""))
    yield consumer, create, lambda m, t: m.create(t, consumer, terms, signed=False)
    lock = Call("LockRewardCondition", "fulfill", (given, escrow, terms.total))
    yield consumer, lock, lambda m, t: m.lock(t, consumer, terms, terms.total)
    yield consumer, Call(template, "cancel", (given,)), lambda m, _: m.cancel(consumer, terms)
    yield provider, grant(terms), lambda m, t: m.grant(t, provider, terms)
    yield provider, refuse(terms), lambda m, _: m.refuse(provider, terms)
    yield provider, settle(terms, settlement), lambda m, t: m.settle(t, provider, terms, settlement, signed=False)
    items = [(terms, (settlement,))]
    yield provider, settle_batch(items), lambda m, t: m.settle_batch(t, provider, items)
    yield consumer, refund(terms), lambda m, t: m.refund(t, terms)
