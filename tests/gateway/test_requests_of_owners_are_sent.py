"""An owner signs for the registry, the gateway sends (ADR 0128): only its own assets, once, within pools."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio
import pytest

from insitu.api.gateway_v1 import BASE
from insitu.domain.did import hash_did
from insitu.domain.ids import Address
from insitu.domain.ledger import Call, transfer_ownership
from insitu.domain.registry_requests import ProviderChange
from insitu.domain.signed_request import SignedRequest
from tests.gateway import purchases
from tests.gateway.purchases import penniless, spent
from tests.gateway.registry_requests import (
    batch,
    code_of,
    item,
    owner_of,
    post,
    registered,
    signed,
    soon,
    transfer,
    until_mined,
    update,
)
from tests.gateway.test_nothing_is_lost_or_doubled import nothing_left, until
from tests.gateway.world import World, json_of

pytestmark = pytest.mark.needs("chain")

SOMEBODY = Address("0x" + "11" * 20)


async def test_one_signature_of_an_account_without_coin_registers_two_assets(provider: World) -> None:
    await penniless(provider, "owner")
    items = [item(provider), item(provider)]
    answer = await post(provider, signed(provider, await batch(provider, items)))
    await until_mined(provider, answer)
    dids = [str(hash_did(made.seed, provider.address("owner"))) for made in items]
    assert json_of(answer)["dids"] == dids
    assert {await owner_of(provider, did) for did in dids} == {provider.address("owner")}
    assert all([await provider.chain.is_provider(did, provider.address("provider")) for did in dids])


async def test_the_same_request_many_times_is_one_transaction(provider: World) -> None:
    request, before = signed(provider, await batch(provider, [item(provider)])), await spent(provider)
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(post, provider, request)
    await until_mined(provider, await post(provider, request))
    again = await post(provider, request)
    assert json_of(again)["status"] == "done"
    assert (await spent(provider)).transactions == before.transactions + 1


async def test_what_somebody_else_has_sent_already_counts_as_done(provider: World) -> None:
    request = signed(provider, await batch(provider, [item(provider)]))
    await provider.chain.transact(request.call, provider.people["stranger"])
    before = await spent(provider)
    assert json_of(await post(provider, request)) == {"dids": list(request.dids), "status": "done", "transaction": None}
    assert await spent(provider) == before


async def test_an_asset_that_was_registered_and_sold_is_not_registered_again(provider: World) -> None:
    made = item(provider)
    request = signed(provider, await batch(provider, [made]))
    await until_mined(provider, await post(provider, request))
    (did,) = request.dids
    await provider.chain.transact(
        transfer_ownership(bytes.fromhex(did[-64:]), provider.address("stranger")), provider.people["owner"]
    )
    answer = await post(provider, request)
    assert (answer.status_code, json_of(answer)["code"]) == (409, "DIDExists")
    # The registry would skip it without an error, so the gateway looks before it sends.
    later = signed(provider, await batch(provider, [made, item(provider)]))
    assert await code_of(provider, later) == "DIDExists"


async def test_an_update_a_transfer_and_a_provider_go_by_signature(provider: World) -> None:
    did, before = await registered(provider), await spent(provider)
    digits = bytes.fromhex(did[-64:])
    leaving = ProviderChange(digits, provider.address("provider"), False, 0, await soon(provider))
    requests = [await update(provider, did, 2), leaving]
    for request in requests:
        await until_mined(provider, await post(provider, signed(provider, request)))
    record = await provider.chain.did_record(did)
    assert record is not None
    assert (record.version, record.changes) == (2, 1)
    assert not await provider.chain.is_provider(did, provider.address("provider"))
    joining = ProviderChange(digits, provider.address("provider"), True, 1, await soon(provider))
    given = await transfer(provider, did, provider.address("stranger"), 2)
    for request in (joining, given):
        await until_mined(provider, await post(provider, signed(provider, request)))
    assert await owner_of(provider, did) == provider.address("stranger")
    assert (await spent(provider)).transactions == before.transactions + 4


Wrong = Callable[[World], Awaitable[SignedRequest]]


def wrong_item(**changes: object) -> Wrong:
    async def make(provider: World) -> SignedRequest:
        return signed(provider, await batch(provider, [item(provider), item(provider, **changes)]))

    return make


async def five_items(provider: World) -> SignedRequest:
    return signed(provider, await batch(provider, [item(provider) for _ in range(5)]))


async def the_same_twice(provider: World) -> SignedRequest:
    made = item(provider)
    return signed(provider, await batch(provider, [made, made]))


async def expired(provider: World) -> SignedRequest:
    return signed(provider, replace(await batch(provider, [item(provider)]), deadline=await provider.chain.time() - 1))


async def too_long(provider: World) -> SignedRequest:
    late = await provider.chain.time() + 3600
    return signed(provider, replace(await batch(provider, [item(provider)]), deadline=late))


async def of_a_stranger(provider: World) -> SignedRequest:
    return signed(provider, await batch(provider, [item(provider)]), "stranger")


async def changed_afterwards(provider: World) -> SignedRequest:
    request = signed(provider, await batch(provider, [item(provider)]))
    return request.model_copy(update={"registrations": await batch(provider, [item(provider)])})


async def another_registry(provider: World) -> SignedRequest:
    return signed(provider, await batch(provider, [item(provider)]), registry=SOMEBODY)


async def foreign_provider(provider: World) -> SignedRequest:
    did = await registered(provider)
    return signed(provider, ProviderChange(bytes.fromhex(did[-64:]), SOMEBODY, True, 0, await soon(provider)))


async def update_with_a_foreign_url(provider: World) -> SignedRequest:
    return signed(provider, await update(provider, await registered(provider), 2, url="https://other.example/{did}"))


async def update_of_a_foreign_asset(provider: World) -> SignedRequest:
    return signed(provider, await update(provider, await registered(provider, "second-owner"), 2))


async def update_of_nothing(provider: World) -> SignedRequest:
    return signed(provider, await update(provider, "did:nv:" + "7a" * 32, 1))


async def update_elsewhere(provider: World) -> SignedRequest:
    """The owner has never let this gateway provide the asset."""
    did = await provider.publish_dataset(publishing={"providers": []})
    return signed(provider, await update(provider, did, 2))


async def transfer_of_a_foreign_asset(provider: World) -> SignedRequest:
    did = await registered(provider, "second-owner")
    return signed(provider, await transfer(provider, did, provider.address("owner")))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (wrong_item(providers=(SOMEBODY,)), "RequestNotRelayed"),
        (wrong_item(providers=()), "RequestNotRelayed"),
        (wrong_item(url="https://other.example/{did}"), "RequestNotRelayed"),
        (five_items, "RequestNotRelayed"),
        (the_same_twice, "RequestNotRelayed"),
        (expired, "DeadlinePassed"),
        (too_long, "RequestNotRelayed"),
        (of_a_stranger, "SignatureMismatch"),
        (changed_afterwards, "SignatureMismatch"),
        (another_registry, "ContractMismatch"),
        (foreign_provider, "RequestNotRelayed"),
        (update_with_a_foreign_url, "RequestNotRelayed"),
        (update_of_a_foreign_asset, "NotDIDOwner"),
        (update_of_nothing, "AssetNotFound"),
        (update_elsewhere, "RequestNotRelayed"),
        (transfer_of_a_foreign_asset, "SignatureMismatch"),
    ],
)
async def test_what_it_does_not_send_costs_nothing_and_says_why(provider: World, make: Wrong, code: str) -> None:
    request = await make(provider)
    before = await spent(provider)
    answer = await post(provider, request)
    assert (json_of(answer)["code"], answer.status_code >= 400) == (code, True), answer.text
    assert json_of(answer)["detail"]
    assert (await spent(provider)).coin == before.coin
    assert await provider.agreements.next_due() is None


async def test_a_replayed_transfer_or_provider_changes_nothing(provider: World) -> None:
    did = await registered(provider)
    given = signed(provider, await transfer(provider, did, provider.address("stranger")))
    await until_mined(provider, await post(provider, given))
    digits = bytes.fromhex(did[-64:])
    await provider.chain.transact(transfer_ownership(digits, provider.address("owner")), provider.people["stranger"])
    await post(provider, given)  # the gateway remembers that it was carried out
    assert await owner_of(provider, did) == provider.address("owner")
    forgotten = signed(provider, await transfer(provider, did, provider.address("stranger"), 1))
    assert await code_of(provider, forgotten) == "ChangesMismatch"

    joining = ProviderChange(digits, provider.address("provider"), True, 2, await soon(provider))
    removed = Call("DIDRegistry", "removeDIDProvider", (digits, provider.address("provider")))
    await provider.chain.transact(removed, provider.people["owner"])
    assert await code_of(provider, signed(provider, joining)) == "ChangesMismatch"
    assert not await provider.chain.is_provider(did, provider.address("provider"))


async def test_a_replayed_update_changes_nothing(provider: World) -> None:
    did = await registered(provider)
    second = signed(provider, await update(provider, did, 2))
    await provider.chain.transact(second.call, provider.people["stranger"])
    third = signed(provider, await update(provider, did, 3))
    await until_mined(provider, await post(provider, third))
    assert await code_of(provider, second) == "VersionMismatch"


async def test_two_requests_of_one_account_at_once_are_both_carried_out(provider: World) -> None:
    requests = [signed(provider, await batch(provider, [item(provider)])) for _ in range(2)]
    async with anyio.create_task_group() as tasks:
        for request in requests:
            tasks.start_soon(post, provider, request)
    for request in requests:
        await until_mined(provider, await post(provider, request))
        assert await owner_of(provider, request.dids[0]) == provider.address("owner")


async def test_one_asset_is_updated_four_times_a_day(provider: World) -> None:
    did = await registered(provider)
    for version in (2, 3, 4, 5):
        await until_mined(provider, await post(provider, signed(provider, await update(provider, did, version))))
    assert await code_of(provider, signed(provider, await update(provider, did, 6))) == "RelayLimitReached"
    other = await registered(provider)
    await until_mined(provider, await post(provider, signed(provider, await update(provider, other, 2))))


async def test_strangers_use_up_their_pool_alone(provider: World) -> None:
    workflow = await provider.simple_workflow(await provider.publish_dataset())
    agreement = await provider.buy(workflow)
    started = await provider.exec(agreement)
    await provider.until_events(started.workflow_execution_id, "settled", "end")

    object.__setattr__(provider.configuration, "relay_budget", 0)
    for who in ("owner", "stranger", "second-consumer"):
        request = signed(provider, await batch(provider, [item(provider)], who), who)
        assert await code_of(provider, request) == "RelayExhausted"
    # The account that has paid for executions does not depend on their pool, and a purchase is settled as before.
    paying = signed(provider, await batch(provider, [item(provider)], "consumer"), "consumer")
    object.__setattr__(provider.configuration, "coin_price", 1)
    await until_mined(provider, await post(provider, paying))
    again = await provider.exec(await provider.buy(workflow))
    await provider.until_events(again.workflow_execution_id, "settled", "end")


async def test_purchases_and_requests_of_strangers_share_one_budget(provider: World) -> None:
    request = signed(provider, await batch(provider, [item(provider)]))
    await until_mined(provider, await post(provider, request))
    await until(lambda: nothing_left(provider))
    now = provider.gateway.ports.clock.now().replace(year=2000)
    assert (await provider.agreements.relayed(provider.address("owner"), now)).purchases == 0
    object.__setattr__(provider.configuration, "relay_budget", 10**14)
    purchase = await purchases.signed(provider, await purchases.offered_terms(provider))
    assert await purchases.code_of(provider, purchase) == "RelayExhausted"


async def test_a_gateway_that_does_not_relay_says_so(provider: World) -> None:
    object.__setattr__(provider.configuration, "relay", False)
    assert await code_of(provider, signed(provider, await batch(provider, [item(provider)]))) == "RelayOff"


async def test_two_kinds_in_one_request_are_not_well_formed(provider: World) -> None:
    did = await registered(provider)
    one = signed(provider, await transfer(provider, did, SOMEBODY))
    body = one.model_dump(mode="json", by_alias=True, exclude_none=True)
    other = signed(provider, await batch(provider, [item(provider)])).model_dump(mode="json", by_alias=True)
    answer = await provider.http.post(BASE + "/requests", json=body | {"registrations": other["registrations"]})
    assert (answer.status_code, json_of(answer)["code"]) == (400, "InvalidRequest")
    crooked = body | {"transfer": body["transfer"] | {"did": "0x12", "newOwner": "me"}}
    answer = await provider.http.post(BASE + "/requests", json=crooked)
    assert (answer.status_code, json_of(answer)["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(("items", "providers"), [(0, 0), (17, 0), (1, 17)])
async def test_a_request_that_is_long_to_hash_is_not_well_formed(provider: World, items: int, providers: int) -> None:
    one = signed(provider, await batch(provider, [item(provider)]))
    body = one.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["registrations"]["items"] = [body["registrations"]["items"][0] | {"providers": [SOMEBODY] * providers}] * items
    answer = await provider.http.post(BASE + "/requests", json=body)
    assert (answer.status_code, json_of(answer)["code"]) == (400, "InvalidRequest")


async def test_a_request_of_many_bytes_is_not_read(provider: World) -> None:
    one = signed(provider, await batch(provider, [item(provider)]))
    body = one.model_dump(mode="json", by_alias=True, exclude_none=True)
    answer = await provider.http.post(BASE + "/requests", json=body | {"more": "x" * 65536})
    assert (answer.status_code, json_of(answer)["code"]) == (413, "BodyTooLarge")
