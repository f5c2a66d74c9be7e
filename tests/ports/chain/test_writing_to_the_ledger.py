"""Transactions: sent once or twice, refused with both sides, found again by hash."""

import anyio
import pytest

from insitu.domain.agreement import Settlement, agreement_id, settlement_digest, terms_digest
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.domain.ledger import (
    AgreementCreated,
    Call,
    ComputeFulfilled,
    ComputeRefused,
    ComputeTimedOut,
    DidProviderAdded,
    DidRegistered,
    DidTransferred,
    EscrowAborted,
    EscrowFulfilled,
    LockFulfilled,
    PaymentReleased,
    create_and_lock,
    create_lock_grant,
    grant,
    refund,
    refuse,
    register_attribute,
    register_attribute_for,
    settle,
    settle_batch,
    use_permit,
)
from insitu.domain.signatures import recover_address
from insitu.ports.chain import Mined, SignedTransaction
from tests.allowances import approve
from tests.ports.chain.parties import Parties

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]


def events(mined: Mined) -> list[object]:
    return [logged.event for logged in mined.events]


async def outcome_of(parties: Parties, transaction: SignedTransaction) -> Mined:
    """Wait for the outcome: a node may mine a transaction a moment after it has accepted it."""
    with anyio.fail_after(20):
        while (mined := await parties.chain.outcome(transaction.hash)) is None:  # noqa: ASYNC110 - only the node knows
            await anyio.sleep(0.01)
    return mined


async def test_a_purchase_a_grant_and_a_settlement_are_heard_as_events(parties: Parties) -> None:
    terms = await parties.terms(10, 5)
    agreement, locked = await parties.lock(terms)
    did = str(parties.did)
    assert events(locked) == [
        AgreementCreated(agreement, terms),
        LockFulfilled(agreement, did, terms.provider, 15),
    ]
    state = await parties.chain.agreement(agreement)
    granted = await parties.chain.transact(grant(terms), parties.provider)
    assert events(granted) == [ComputeFulfilled(agreement, did, terms.consumer, state.start + terms.timeout)]
    settlement = Settlement(index=3, charge=15, receipt_hash="0x" + "ab" * 32)
    settled = await parties.chain.transact(settle(terms, settlement), parties.provider)
    assert events(settled) == [
        PaymentReleased(agreement, 3, 15, "0x" + "ab" * 32, last=False),
        EscrowFulfilled(agreement, 15, 0),
    ]
    assert settled.ok
    assert settled.confirmations == 1
    assert settled.gas > 21000


async def test_money_moves_as_the_terms_say(parties: Parties) -> None:
    chain, terms = parties.chain, await parties.terms(10, 5)
    accounts = (terms.consumer, *terms.receivers, chain.contract("EscrowReward"))
    before = [await chain.balance(account) for account in accounts]
    await parties.lock(terms)
    await chain.transact(grant(terms), parties.provider)
    await chain.transact(settle(terms, Settlement(index=1, charge=15, receipt_hash="0x" + "01" * 32)), parties.provider)
    after = [await chain.balance(account) for account in accounts]
    assert [new - old for new, old in zip(after, before, strict=True)] == [-15, 10, 5, 0]


async def test_a_refusal_pays_back_in_the_same_transaction(parties: Parties) -> None:
    terms = await parties.terms(10)
    before = await parties.chain.balance(terms.consumer)
    agreement, _ = await parties.lock(terms)
    refused = await parties.chain.transact(refuse(terms), parties.provider)
    assert events(refused) == [
        ComputeRefused(agreement, str(parties.did), terms.consumer),
        EscrowAborted(agreement, 0, 10),
    ]
    assert await parties.chain.balance(terms.consumer) == before


async def test_a_refund_for_want_of_a_grant_says_that_it_timed_out(parties: Parties) -> None:
    terms = await parties.terms(10)
    agreement, _ = await parties.lock(terms)
    with pytest.raises(InsituError, match=r"NotTimedOut: NotTimedOut\(time=\d+, deadline=\d+\)"):
        await parties.chain.transact(refund(terms), parties.stranger)
    await parties.anvil("evm_increaseTime", terms.grant_timeout)
    refunded = await parties.chain.transact(refund(terms), parties.stranger)
    assert set(events(refunded)) == {
        ComputeTimedOut(agreement, str(parties.did), terms.consumer),
        EscrowAborted(agreement, 0, 10),
    }


async def test_a_stranger_may_send_what_the_provider_signed(parties: Parties) -> None:
    terms = await parties.terms(10)
    agreement, _ = await parties.lock(terms)
    await parties.chain.transact(grant(terms), parties.provider)
    settlement = Settlement(index=0, charge=10, receipt_hash="0x" + "0a" * 32)
    digest = settlement_digest(agreement, settlement, parties.chain.agreements)
    forged, signed = parties.stranger.sign_digest(digest), parties.provider.sign_digest(digest)
    with pytest.raises(InsituError, match="SignatureMismatch") as refused:
        await parties.chain.transact(settle(terms, settlement, forged), parties.stranger)
    assert refused.value.context["arguments"] == {"expectedSigner": terms.provider}
    assert (await parties.chain.transact(settle(terms, settlement, signed), parties.stranger)).ok


async def test_a_relayer_may_send_what_the_consumer_signed(parties: Parties) -> None:
    terms = await parties.terms()
    signature = parties.consumer.sign_digest(terms_digest(terms, parties.chain.agreements))
    mined = await parties.chain.transact(create_and_lock(terms, signature), parties.stranger)
    assert events(mined)[0] == AgreementCreated(agreement_id(terms, parties.chain.agreements), terms)


async def test_a_batch_settles_many(parties: Parties) -> None:
    items = []
    for _ in range(2):
        terms = await parties.terms(10)
        await parties.lock(terms)
        await parties.chain.transact(grant(terms), parties.provider)
        slices = [Settlement(index=i, charge=i, receipt_hash="0x" + "0b" * 32) for i in range(3)]
        items.append((terms, slices))
    mined = await parties.chain.transact(settle_batch(items), parties.provider)
    assert [event.charge for event in events(mined) if isinstance(event, PaymentReleased)] == [0, 1, 2, 0, 1, 2]


async def test_a_result_is_registered_for_somebody_else_in_one_transaction(parties: Parties) -> None:
    seed, owner = b"\x55" * 32, parties.consumer.address
    call = register_attribute_for(seed, b"\x66" * 32, [parties.provider.address], "http://x/{did}", owner)
    registered, added, transferred = events(await parties.chain.transact(call, parties.provider))
    assert isinstance(registered, DidRegistered)
    assert added == DidProviderAdded(registered.did, parties.provider.address)
    assert isinstance(transferred, DidTransferred)
    assert (registered.owner, registered.checksum, registered.version) == (owner, "66" * 32, 1)
    assert (transferred.previous, transferred.owner) == (parties.provider.address, owner)


async def test_a_refusal_of_the_contract_has_its_name_and_both_sides(parties: Parties) -> None:
    terms = await parties.terms(10)
    await parties.lock(terms)
    with pytest.raises(InsituError) as refused:
        await parties.chain.transact(grant(terms), parties.stranger)
    sides = {"actual": parties.stranger.address, "expected": parties.provider.address}
    assert refused.value.code == "CallerMismatch"
    assert refused.value.context["arguments"] == sides
    assert all(side in refused.value.detail for side in sides.values())


async def test_too_little_money_has_its_own_code(parties: Parties) -> None:
    too_much = await parties.chain.balance(parties.consumer.address) + 1
    terms = await parties.terms(too_much)
    await parties.chain.transact(approve(parties.chain.contract("EscrowReward"), too_much), parties.consumer)
    with pytest.raises(InsituError, match="InsufficientFunds") as refused:
        await parties.chain.transact(create_and_lock(terms), parties.consumer)
    assert str(too_much) in refused.value.detail


async def test_an_account_without_gas_has_its_own_code(parties: Parties) -> None:
    await parties.anvil("anvil_setBalance", parties.stranger.address, "0x1")
    try:
        with pytest.raises(InsituError, match="InsufficientFunds"):
            await parties.chain.transact(register_attribute(b"\x77" * 32, bytes(32), [], "x"), parties.stranger)
    finally:
        await parties.anvil("anvil_setBalance", parties.stranger.address, hex(10**20))


async def test_a_call_that_would_fail_now_is_not_signed(parties: Parties) -> None:
    terms = await parties.terms(10)
    with pytest.raises(InsituError, match="AgreementUnknown"):
        await parties.chain.sign(grant(terms), parties.provider, await parties.chain.next_nonce(terms.provider))


async def test_sending_the_same_transaction_again_changes_nothing(parties: Parties) -> None:
    signed = await signed_approval(parties, 1)
    await parties.chain.broadcast(signed)
    await parties.chain.broadcast(signed)
    assert (await outcome_of(parties, signed)).ok
    await parties.chain.broadcast(signed)
    assert await parties.chain.next_nonce(parties.consumer.address) == signed.nonce + 1


async def test_a_transaction_that_waits_has_no_outcome_and_is_counted_in_the_nonce(parties: Parties) -> None:
    await parties.anvil("evm_setAutomine", False)
    try:
        first = await signed_approval(parties, 2)
        await parties.chain.broadcast(first)
        await parties.chain.broadcast(first)
        assert await parties.chain.outcome(first.hash) is None
        second = await signed_approval(parties, 3)
        assert second.nonce == first.nonce + 1
        await parties.chain.broadcast(second)
        await parties.anvil("anvil_mine")
    finally:
        await parties.anvil("evm_setAutomine", True)
    assert [(await outcome_of(parties, sent)).ok for sent in (first, second)] == [True, True]


async def test_a_nonce_that_another_transaction_took_is_reported(parties: Parties) -> None:
    late = await signed_approval(parties, 4)
    await parties.chain.broadcast(await signed_approval(parties, 5))
    with pytest.raises(InsituError, match=r"TransactionFailed: another transaction took nonce") as failed:
        await parties.chain.broadcast(late)
    assert failed.value.context["transaction"] == late.hash


async def test_an_unknown_transaction_has_no_outcome(parties: Parties) -> None:
    assert await parties.chain.outcome("0x" + "12" * 32) is None


async def test_confirmations_grow_with_the_chain(parties: Parties) -> None:
    mined = await parties.chain.transact(approve(parties.provider.address, 6), parties.consumer)
    await parties.anvil("anvil_mine", hex(4))
    later = await parties.chain.outcome(mined.hash)
    assert later is not None
    assert (later.block, later.confirmations) == (mined.block, 5)


async def test_a_mined_failure_says_why(parties: Parties) -> None:
    """Two grants are estimated before either is mined; the second meets another state."""
    terms = await parties.terms(10)
    await parties.lock(terms)
    await parties.anvil("evm_setAutomine", False)
    try:
        nonce = await parties.chain.next_nonce(terms.provider)
        first = await parties.chain.sign(grant(terms), parties.provider, nonce)
        second = await parties.chain.sign(grant(terms), parties.provider, nonce + 1)
        await parties.chain.broadcast(first)
        await parties.chain.broadcast(second)
        await parties.anvil("anvil_mine", "0x1")
    finally:
        await parties.anvil("evm_setAutomine", True)
    failed = await parties.chain.outcome(second.hash)
    assert failed is not None
    assert not failed.ok
    assert str(failed.error).startswith("ConditionNotInState")


async def test_a_permit_lets_the_spender_draw_once(parties: Parties) -> None:
    chain, spender = parties.chain, parties.chain.contract("EscrowReward")
    deadline = await chain.time() + 60
    permit = await chain.permit(parties.stranger, spender, 9, deadline)
    assert (permit.value, permit.deadline) == (9, deadline)
    call = Call("NeverminedToken", "permit", (parties.stranger.address, spender, *permit))
    await chain.transact(call, parties.provider)
    with pytest.raises(InsituError, match="ERC2612InvalidSigner"):
        await chain.transact(call, parties.provider)


async def test_transactions_of_one_account_at_once_take_turns(parties: Parties) -> None:
    import anyio

    async with anyio.create_task_group() as group:
        for amount in range(20, 30):
            group.start_soon(
                parties.chain.transact, approve(Address(parties.provider.address), amount), parties.consumer
            )


async def signed_approval(parties: Parties, amount: int) -> SignedTransaction:
    nonce = await parties.chain.next_nonce(parties.consumer.address)
    signed = await parties.chain.sign(approve(parties.provider.address, amount), parties.consumer, nonce)
    assert signed.nonce == nonce
    return signed


async def test_what_python_signs_the_contract_recovers(parties: Parties) -> None:
    digest = terms_digest(await parties.terms(1), parties.chain.agreements)
    assert recover_address(digest, parties.consumer.sign_digest(digest)) == parties.consumer.address


async def test_a_relayed_purchase_and_its_grant_are_one_transaction(parties: Parties) -> None:
    chain, terms = parties.chain, await parties.terms(10, 5)
    agreement = agreement_id(terms, chain.agreements)
    permit = await chain.permit(parties.consumer, chain.contract("EscrowReward"), 15, terms.deadline)
    signature = parties.consumer.sign_digest(terms_digest(terms, chain.agreements))
    mined = await chain.transact(create_lock_grant(terms, signature, permit), parties.provider)
    kinds = [type(event) for event in events(mined)]
    assert kinds == [AgreementCreated, LockFulfilled, ComputeFulfilled]
    assert (await chain.agreement(agreement)).permits(terms, await chain.time())
    with pytest.raises(InsituError, match="ConditionNotInState"):
        await chain.transact(create_lock_grant(terms, signature, permit), parties.provider)


async def test_an_offer_makes_purchase_and_grant_one_transaction_of_the_consumer(parties: Parties) -> None:
    chain, terms = parties.chain, await parties.terms()
    offer = parties.provider.sign_digest(terms_digest(terms, chain.agreements))
    mined = await chain.transact(create_lock_grant(terms, offer=offer), parties.consumer)
    assert [type(event) for event in events(mined)] == [AgreementCreated, LockFulfilled, ComputeFulfilled]
    stolen = terms.model_copy(update={"timeout": terms.timeout + 1})
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await chain.transact(create_lock_grant(stolen, offer=offer), parties.consumer)


async def test_the_cost_of_a_call_is_known_without_sending_it(parties: Parties) -> None:
    chain, terms = parties.chain, await parties.terms()
    call, sender = create_and_lock(terms), parties.consumer.address
    nonce, held = await chain.next_nonce(sender), await chain.native_balance(sender)
    most = await chain.estimate(call, sender)
    assert (await chain.next_nonce(sender), await chain.native_balance(sender)) == (nonce, held)
    mined = await chain.transact(call, parties.consumer)
    paid = held - await chain.native_balance(sender)
    # A margin for gas, twice the base fee: a few times what is paid then, not a hundred times.
    assert 0 < paid <= most <= 8 * paid
    assert mined.ok
    with pytest.raises(InsituError, match="SignatureMismatch"):
        await chain.estimate(create_and_lock(await parties.terms()), parties.stranger.address)


async def test_a_permit_is_judged_by_the_token_before_it_is_used(parties: Parties) -> None:
    chain, sender = parties.chain, parties.provider.address
    consumer, escrow = parties.consumer.address, parties.chain.contract("EscrowReward")
    permit = await chain.permit(parties.consumer, escrow, 7, await chain.time() + 600)
    assert await chain.estimate(use_permit(consumer, escrow, permit), sender) > 0
    for name, changed in (
        ("PermitInvalid", use_permit(consumer, escrow, permit._replace(value=8))),
        ("PermitInvalid", use_permit(parties.stranger.address, escrow, permit)),
        ("PermitExpired", use_permit(consumer, escrow, permit._replace(deadline=1))),
    ):
        with pytest.raises(InsituError, match=name):
            await chain.estimate(changed, sender)
    assert await chain.allowance(consumer, escrow) == 0
    await chain.transact(use_permit(consumer, escrow, permit), parties.stranger)
    assert await chain.allowance(consumer, escrow) == 7
    with pytest.raises(InsituError, match="PermitInvalid"):
        await chain.estimate(use_permit(consumer, escrow, permit), sender)
    await chain.transact(approve(escrow, 0), parties.consumer)
