"""Views: what the chain says about DIDs, agreements, money and time."""

from typing import Any

import pytest

from insitu.adapters.chain import registrations
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc
from insitu.domain.agreement import AgreementState, ConditionState, Settlement, agreement_id
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address, AgreementId
from insitu.domain.ledger import grant, register_attribute, settle, transfer_ownership, update_attribute
from tests.domain.documents import state_of_word
from tests.doubles.chain import register_did
from tests.ports.chain.parties import Parties

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

NOBODY = Address("0x000000000000000000000000000000000000dEaD")


async def test_the_contracts_of_the_deployments_file_are_ours(parties: Parties) -> None:
    await parties.chain.verify()


async def test_names_that_share_the_template_have_its_address(parties: Parties) -> None:
    names = ("AgreementStoreManager", "ConditionStoreManager", "LockRewardCondition", "EscrowReward")
    assert {parties.chain.contract(name) for name in names} == {parties.chain.agreements.contract}
    with pytest.raises(InsituError, match="ContractMismatch"):
        parties.chain.contract("Nonsense")


async def test_the_time_is_that_of_the_next_block(parties: Parties) -> None:
    await parties.anvil("evm_increaseTime", 1000)
    before = await parties.chain.time()
    await parties.anvil("anvil_mine")
    newest = int((await parties.anvil("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
    assert newest - 2 <= before <= newest
    assert await parties.chain.time() >= newest


async def test_a_block_has_a_time(parties: Parties) -> None:
    newest = await parties.anvil("eth_getBlockByNumber", "latest", False)
    number = int(newest["number"], 16)
    assert await parties.chain.time(number) == int(newest["timestamp"], 16)
    with pytest.raises(InsituError, match="ChainUnavailable"):
        await parties.chain.time(number + 1000)


async def test_the_token_is_described(parties: Parties) -> None:
    token = await parties.chain.token()
    assert (token.address, token.symbol, token.decimals) == (parties.chain.contract("NeverminedToken"), "NVM", 18)


async def test_balances_are_integers_of_base_units_and_wei(parties: Parties) -> None:
    assert await parties.chain.balance(NOBODY) == 0
    assert await parties.chain.native_balance(NOBODY) == 0
    assert await parties.chain.balance(parties.consumer.address) >= 1000
    assert await parties.chain.native_balance(parties.consumer.address) > 10**18


@pytest.mark.parametrize("refused", [True, False])
async def test_a_record_is_read_although_its_event_comes_a_moment_later(
    parties: Parties, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """A node that is adding the block, or one of several that lags, knows the record before its event."""
    did = await register_did(parties.chain, parties.owner, parties.provider.address)
    asked, real = [], registrations.Registrations.current

    async def late(self: registrations.Registrations, *arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) > 3:
            return await real(self, *arguments)
        if refused:
            raise NodeError("eth_getLogs", "block height is 1515 but requested was 1516", b"")
        return None

    monkeypatch.setattr(registrations.Registrations, "current", late)
    record = await parties.chain.did_record(str(did))
    assert record is not None
    assert (record.version, len(asked)) == (1, 4)


async def test_a_did_that_is_not_registered_has_no_record(parties: Parties) -> None:
    assert await parties.chain.did_record("did:nv:" + "ab" * 32) is None
    assert not await parties.chain.is_provider("did:nv:" + "ab" * 32, parties.provider.address)


async def test_a_record_has_owner_checksum_version_and_the_url_of_its_version(parties: Parties) -> None:
    did = await register_did(parties.chain, parties.owner, parties.provider.address, checksum=b"\1" * 32)
    update = update_attribute(bytes(did), b"\2" * 32, "http://elsewhere/{did}")
    await parties.chain.transact(update, parties.owner)
    record = await parties.chain.did_record(str(did))
    assert record is not None
    assert (record.owner, record.checksum, record.version) == (parties.owner.address, "02" * 32, 2)
    assert (record.did, record.url) == (str(did), "http://elsewhere/{did}")


async def test_a_record_follows_a_transfer(parties: Parties) -> None:
    did = await register_did(parties.chain, parties.owner, parties.provider.address)
    await parties.chain.transact(transfer_ownership(bytes(did), parties.stranger.address), parties.owner)
    record = await parties.chain.did_record(str(did))
    assert record is not None
    assert record.owner == parties.stranger.address


async def test_the_registrant_of_a_version_is_found_in_its_block_and_nowhere_else(parties: Parties) -> None:
    did = await register_did(parties.chain, parties.owner, parties.provider.address, checksum=b"\1" * 32)
    first = await parties.chain.did_record(str(did))
    await parties.chain.transact(transfer_ownership(bytes(did), parties.stranger.address), parties.owner)
    transferred = await parties.chain.did_record(str(did))
    assert first is not None
    assert transferred is not None
    assert (transferred.registrant, transferred.block) == (first.registrant, first.block)
    assert first.registrant == parties.owner.address

    await parties.chain.transact(update_attribute(bytes(did), b"\2" * 32, "http://elsewhere"), parties.stranger)
    second = await parties.chain.did_record(str(did))
    assert second is not None
    assert second.registrant == parties.stranger.address
    for record in (first, second):
        event = await parties.chain.registration(str(did), record.checksum, record.block)
        assert event == record.registered
    assert await parties.chain.registration(str(did), first.checksum, second.block) is None
    assert await parties.chain.registration(str(did), second.checksum, first.block) is None
    assert await parties.chain.registration("did:nv:" + "ab" * 32, first.checksum, first.block) is None


async def test_registrations_lead_from_the_newest_to_the_first(parties: Parties) -> None:
    did = await register_did(parties.chain, parties.owner, parties.provider.address, checksum=b"\1" * 32)
    await parties.anvil("evm_setAutomine", False)
    try:
        for number in (2, 3):  # in one block, told apart by their numbers
            update = update_attribute(bytes(did), bytes([number]) * 32, "http://elsewhere")
            nonce = await parties.chain.next_nonce(parties.owner.address)
            await parties.chain.broadcast(await parties.chain.sign(update, parties.owner, nonce))
        await parties.anvil("anvil_mine")
    finally:
        await parties.anvil("evm_setAutomine", True)
    await parties.chain.transact(update_attribute(bytes(did), b"\2" * 32, "http://elsewhere"), parties.owner)
    found = [event async for event in parties.chain.registrations(str(did))]
    assert [(event.version, event.checksum[:2]) for event in found] == [(4, "02"), (3, "03"), (2, "02"), (1, "01")]
    assert [event.previous_block for event in found[:-1]] == [event.block for event in found[1:]]
    assert found[1].block == found[2].block
    assert await parties.chain.registration(str(did), "02" * 32, found[2].block) == found[2]
    assert [event async for event in parties.chain.registrations("did:nv:" + "ab" * 32)] == []


async def test_a_walk_is_bounded_and_each_step_is_asked_once(parties: Parties, monkeypatch: pytest.MonkeyPatch) -> None:
    did = await register_did(parties.chain, parties.owner, parties.provider.address, checksum=b"\1" * 32)
    for number in range(2, 6):
        await parties.chain.transact(update_attribute(bytes(did), bytes([number]) * 32, "http://host"), parties.owner)
    asked: list[str] = []
    call = JsonRpc.call

    async def counted(self: JsonRpc, method: str, *parameters: object) -> object:
        asked.append(method)
        return await call(self, method, *parameters)

    monkeypatch.setattr(JsonRpc, "call", counted)
    counts = []
    for _ in range(2):
        asked.clear()
        assert len([event async for event in parties.chain.registrations(str(did))]) == 5
        counts.append(asked.count("eth_getLogs"))
    # The newest is asked for again, because its block proves the others after a reorganisation.
    assert counts[1] == 1 < counts[0]
    monkeypatch.setattr(registrations, "STEPS", 3)
    assert [event.version async for event in parties.chain.registrations(str(did))] == [5, 4, 3]


async def test_a_url_that_looks_like_bytes_stays_text(parties: Parties) -> None:
    url = "0x" + "ab" * 32
    mined = await parties.chain.transact(register_attribute(b"\7" * 32, bytes(32), [], url), parties.stranger)
    assert [logged.event.url for logged in mined.events if hasattr(logged.event, "url")] == [url]


async def test_owner_and_providers_are_providers(parties: Parties) -> None:
    did = str(parties.did)
    assert await parties.chain.is_provider(did, parties.owner.address)
    assert await parties.chain.is_provider(did, parties.provider.address)
    assert not await parties.chain.is_provider(did, parties.stranger.address)


async def test_an_unknown_agreement_is_all_zero_and_has_no_terms(parties: Parties) -> None:
    unknown = AgreementId("cd" * 32)
    state = await parties.chain.agreement(unknown)
    none = ConditionState.UNINITIALIZED
    assert state == AgreementState(0, 0, none, none, none, closed=False)
    assert await parties.chain.find_terms(unknown) is None


async def test_the_state_of_an_agreement_follows_its_life(parties: Parties) -> None:
    terms = await parties.terms(10, 5)
    agreement, _ = await parties.lock(terms)
    locked = await parties.chain.agreement(agreement)
    assert locked.locked
    assert (locked.compute, locked.escrow) == (ConditionState.UNFULFILLED, ConditionState.UNFULFILLED)
    assert locked.start <= await parties.chain.time()
    await parties.chain.transact(grant(terms), parties.provider)
    assert (await parties.chain.agreement(agreement)).granted
    settlement = Settlement(index=1, charge=7, receipt_hash="0x" + "11" * 32)
    await parties.chain.transact(settle(terms, settlement), parties.provider)
    state = await parties.chain.agreement(agreement)
    assert (state.settled, state.escrow, state.closed) == (7, ConditionState.UNFULFILLED, False)
    rest = Settlement(index=2, charge=8, receipt_hash="0x" + "12" * 32, last=True)
    await parties.chain.transact(settle(terms, rest), parties.provider)
    state = await parties.chain.agreement(agreement)
    assert (state.settled, state.escrow, state.closed) == (15, ConditionState.FULFILLED, True)


async def test_the_state_is_the_word_in_the_contracts_storage(parties: Parties) -> None:
    terms = await parties.terms(10)
    agreement, _ = await parties.lock(terms)
    await parties.chain.transact(grant(terms), parties.provider)
    state = await parties.chain.agreement(agreement)
    words = [await _word_at(parties, agreement, slot) for slot in range(8)]
    assert state in [state_of_word(word) for word in words if word]


async def _word_at(parties: Parties, agreement: AgreementId, slot: int) -> int:
    """The entry of a mapping at this slot (Solidity's storage layout)."""
    from insitu.domain.canonical import keccak256

    place = keccak256(bytes.fromhex(agreement) + slot.to_bytes(32, "big"))
    return int(
        await parties.anvil("eth_getStorageAt", parties.chain.agreements.contract, "0x" + place.hex(), "latest"), 16
    )


async def test_terms_are_found_again_by_the_id_alone(parties: Parties) -> None:
    for amounts in ((10,), (3, 4, 5), ()):
        terms = await parties.terms(*amounts)
        agreement, _ = await parties.lock(terms)
        assert await parties.chain.find_terms(agreement) == terms
        assert agreement_id(terms, parties.chain.agreements) == agreement


async def test_permission_is_for_this_consumer_this_workflow_and_after_the_grant(parties: Parties) -> None:
    terms = await parties.terms(10)
    await parties.lock(terms)
    ask = parties.chain.check_permissions
    assert not await ask(terms, terms.consumer, terms.workflow_id)
    await parties.chain.transact(grant(terms), parties.provider)
    assert await ask(terms, terms.consumer, terms.workflow_id)
    assert not await ask(terms, parties.stranger.address, terms.workflow_id)
    assert not await ask(terms, terms.consumer, "0x" + "99" * 32)
    assert not await ask(terms.model_copy(update={"timeout": 7200}), terms.consumer, terms.workflow_id)


async def test_permission_ends_with_the_timeout_although_no_block_says_so(parties: Parties) -> None:
    terms = await parties.terms()
    await parties.lock(terms)
    await parties.chain.transact(grant(terms), parties.provider)
    await parties.anvil("evm_increaseTime", terms.timeout)
    # No block is mined in between: the question is asked at the next block's time.
    assert not await parties.chain.check_permissions(terms, terms.consumer, terms.workflow_id)
