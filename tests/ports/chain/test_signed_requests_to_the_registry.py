"""The contract of ports/chain.py: what an owner of an asset signed, anybody may send, once (ADR 0119)."""

import os

import pytest

from insitu.domain.did import Did, hash_did
from insitu.domain.errors import InsituError
from insitu.domain.ledger import (
    DidRegistered,
    DidTransferred,
    register_attribute_for,
    transfer_ownership,
    update_attribute,
)
from insitu.domain.registry_requests import (
    ProviderChange,
    RegistrationBatch,
    RegistrationItem,
    Transfer,
    UpdateBatch,
    UpdateItem,
    registry_domain,
)
from insitu.domain.typed_data import SigningDomain
from insitu.ports.chain import Mined
from tests.ports.chain.parties import Parties

URL = "https://metadata.example/{did}"
FIRST, NEXT = b"\x01" * 32, b"\x02" * 32


def domain(parties: Parties) -> SigningDomain:
    return registry_domain(parties.chain.agreements.chain_id, parties.chain.contract("DIDRegistry"))


def events(mined: Mined) -> list[object]:
    return [logged.event for logged in mined.events]


async def deadline(parties: Parties) -> int:
    return await parties.chain.time() + 600


async def registered(parties: Parties) -> Did:
    """An asset of the owner that a stranger registered with the owner's signature."""
    seed = os.urandom(32)
    item = RegistrationItem(seed, FIRST, (parties.provider.address,), URL)
    batch = RegistrationBatch(parties.owner.address, [item], await deadline(parties))
    signature = parties.owner.sign_digest(batch.digest(domain(parties)))
    await parties.chain.transact(batch.call(signature), parties.stranger)
    return hash_did(seed, parties.owner.address)


async def test_a_stranger_registers_assets_for_who_signed(parties: Parties) -> None:
    items = [RegistrationItem(os.urandom(32), FIRST, (), URL), RegistrationItem(os.urandom(32), NEXT, (), URL)]
    batch = RegistrationBatch(parties.owner.address, items, await deadline(parties))
    call = batch.call(parties.owner.sign_digest(batch.digest(domain(parties))))
    found = events(await parties.chain.transact(call, parties.stranger))
    dids = [str(hash_did(item.seed, parties.owner.address)) for item in items]
    assert [event.did for event in found if isinstance(event, DidRegistered)] == dids
    assert {event.owner for event in found if isinstance(event, DidRegistered)} == {parties.owner.address}
    assert events(await parties.chain.transact(call, parties.provider)) == []


async def test_nobody_registers_in_the_name_of_somebody_else(parties: Parties) -> None:
    batch = RegistrationBatch(
        parties.owner.address, [RegistrationItem(os.urandom(32), FIRST, (), URL)], await deadline(parties)
    )
    forged = batch.call(parties.stranger.sign_digest(batch.digest(domain(parties))))
    with pytest.raises(InsituError) as refused:
        await parties.chain.transact(forged, parties.stranger)
    assert refused.value.context["arguments"] == {"expectedSigner": parties.owner.address}


async def test_an_update_names_its_version_and_the_block_before(parties: Parties) -> None:
    did = await registered(parties)
    before = await parties.chain.did_record(str(did))
    assert before is not None
    batch = UpdateBatch(parties.owner.address, [UpdateItem(bytes(did), NEXT, URL, 2)], await deadline(parties))
    call = batch.call(parties.owner.sign_digest(batch.digest(domain(parties))))
    (event,) = events(await parties.chain.transact(call, parties.stranger))
    assert isinstance(event, DidRegistered)
    assert (event.version, event.previous_block) == (2, before.block)
    with pytest.raises(InsituError) as refused:
        await parties.chain.transact(call, parties.stranger)
    assert refused.value.code == "VersionMismatch"
    assert (refused.value.context["actual"], refused.value.context["expected"]) == ("2", "3")


async def test_every_version_is_found_by_walking_back(parties: Parties) -> None:
    did = await registered(parties)
    for checksum in (NEXT, FIRST):
        await parties.chain.transact(update_attribute(bytes(did), checksum, URL), parties.owner)
    walked = [event async for event in parties.chain.registrations(str(did))]
    assert [event.checksum for event in walked] == [FIRST.hex(), NEXT.hex(), FIRST.hex()]
    assert walked[-1].previous_block == 0


async def test_a_transfer_cannot_be_sent_again_when_the_asset_came_back(parties: Parties) -> None:
    did = await registered(parties)
    request = Transfer(bytes(did), parties.consumer.address, 0, await deadline(parties))
    call = request.call(parties.owner.sign_digest(request.digest(domain(parties))))
    assert events(await parties.chain.transact(call, parties.stranger)) == [
        DidTransferred(str(did), parties.owner.address, parties.consumer.address)
    ]
    await parties.chain.transact(transfer_ownership(bytes(did), parties.owner.address), parties.consumer)
    record = await parties.chain.did_record(str(did))
    assert record is not None
    assert (record.owner, record.changes) == (parties.owner.address, 2)
    with pytest.raises(InsituError, match="ChangesMismatch"):
        await parties.chain.transact(call, parties.stranger)


async def test_a_removed_provider_is_not_added_again_by_the_old_request(parties: Parties) -> None:
    did = await registered(parties)
    adding = ProviderChange(bytes(did), parties.stranger.address, True, 0, await deadline(parties))
    added = adding.call(parties.owner.sign_digest(adding.digest(domain(parties))))
    await parties.chain.transact(added, parties.stranger)
    assert await parties.chain.is_provider(str(did), parties.stranger.address)
    removing = ProviderChange(bytes(did), parties.stranger.address, False, 1, await deadline(parties))
    removed = removing.call(parties.owner.sign_digest(removing.digest(domain(parties))))
    await parties.chain.transact(removed, parties.provider)
    assert not await parties.chain.is_provider(str(did), parties.stranger.address)
    with pytest.raises(InsituError, match="ChangesMismatch"):
        await parties.chain.transact(added, parties.stranger)


async def test_a_request_ends_at_its_deadline(parties: Parties) -> None:
    batch = RegistrationBatch(
        parties.owner.address, [RegistrationItem(os.urandom(32), FIRST, (), URL)], await parties.chain.time() - 1
    )
    with pytest.raises(InsituError, match="DeadlinePassed"):
        await parties.chain.transact(
            batch.call(parties.owner.sign_digest(batch.digest(domain(parties)))), parties.stranger
        )


async def test_the_creator_of_a_result_stays_who_registered_it(parties: Parties) -> None:
    seed = os.urandom(32)
    call = register_attribute_for(seed, FIRST, [], URL, parties.consumer.address)
    await parties.chain.transact(call, parties.provider)
    record = await parties.chain.did_record(str(hash_did(seed, parties.provider.address)))
    assert record is not None
    assert (record.owner, record.changes) == (parties.consumer.address, 0)
