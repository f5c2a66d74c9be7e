"""An owner without coin signs a transfer or a change of the provider, and the gateway sends it (ADR 0128)."""

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.signed_request import SignedRequest
from insitu.sdk.client import Client
from tests.doubles.safe import Safe, deploy_safe
from tests.sdk.market import Market
from tests.sdk.test_how_often_a_wallet_asks import counting, penniless

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]


async def sent_by(provider: Market, who: str) -> int:
    return await provider.world.chain.next_nonce(provider.world.address(who))


def kept(client: Client) -> list[SignedRequest]:
    """Every request that the client lets the gateway send."""
    sent, relay = list[SignedRequest](), client.gateway.relay_request

    async def keep(request: SignedRequest) -> object:
        sent.append(request)
        return await relay(request)

    client.gateway.relay_request = keep  # type: ignore[assignment, method-assign]
    return sent


async def test_with_coin_a_transfer_is_a_transaction_of_the_owner(provider: Market) -> None:
    owner, signer = await counting(provider, "owner")
    did, requests = await provider.dataset(owner), kept(owner)
    signer.asked = 0
    before = await sent_by(provider, "owner")
    transaction = await owner.assets.transfer(did, provider.world.address("stranger"))
    mined = await owner.chain.outcome(transaction)
    assert mined is not None
    assert mined.ok
    assert (signer.asked, await sent_by(provider, "owner"), requests) == (1, before + 1, [])
    assert await owner.assets.owner(did) == provider.world.address("stranger")


async def test_without_coin_the_owner_signs_once_and_the_gateway_sends(provider: Market) -> None:
    owner, signer = await counting(provider, "owner")
    did = await provider.dataset(owner)
    await penniless(provider, "owner")
    signer.asked = 0
    transaction = await owner.assets.transfer(did, provider.world.address("stranger"))
    assert await owner.chain.outcome(transaction) is not None
    assert signer.asked == 1
    assert await owner.assets.owner(did) == provider.world.address("stranger")


async def test_a_transfer_is_not_replayed_after_the_asset_came_back(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    stranger, _ = await provider.client("stranger")
    did, requests = await provider.dataset(owner), kept(owner)
    await penniless(provider, "owner")
    await owner.assets.transfer(did, stranger.account)
    await stranger.assets.transfer(did, owner.account)
    (first,) = requests
    with pytest.raises(InsituError, match="ChangesMismatch"):
        await owner.chain.transact(first.call, provider.world.people["second-owner"])
    with pytest.raises(InsituError, match="ChangesMismatch"):
        await owner.assets._registrations.send(first)
    assert await owner.assets.owner(did) == owner.account


async def test_whoever_does_not_own_it_is_told_before_anything_is_signed(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner)
    stranger, signer = await counting(provider, "stranger")
    for coin in (True, False):
        if not coin:
            await penniless(provider, "stranger")
        with pytest.raises(InsituError, match="NotDIDOwner"):
            await stranger.assets.transfer(did, stranger.account)
    assert signer.asked == 0


async def test_a_gateway_that_sends_nothing_says_what_to_do(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner)
    object.__setattr__(provider.world.configuration, "relay", False)
    await penniless(provider, "owner")
    with pytest.raises(InsituError) as refused:
        await owner.assets.transfer(did, provider.world.address("stranger"))
    assert refused.value.code == "RelayOff"
    assert "account that can pay for gas" in refused.value.definition.next_step


async def contract_account(provider: Market) -> tuple[Client, Safe]:
    world = provider.world
    safe = await deploy_safe(world.chain.url, (world.people["consumer"], world.people["stranger"]))
    world.people["safe"] = safe  # type: ignore[assignment]  # it signs like a key
    object.__setattr__(world.configuration, "creators", (*world.configuration.creators, safe.address))
    return (await provider.client("safe"))[0], safe


@pytest.mark.parametrize("coin", ["0x0", hex(10**18)], ids=["without coin", "with coin"])
async def test_the_account_of_a_contract_never_signs_a_transaction(provider: Market, coin: str) -> None:
    client, safe = await contract_account(provider)
    await provider.world.chain.rpc("anvil_setBalance", safe.address, coin)
    did, gateway = await provider.dataset(client), provider.world.address("provider")
    assert await client.assets.owner(did) == safe.address
    await client.assets.pause(did)
    assert not await client.chain.is_provider(did, gateway)
    await client.assets.resume(did)
    assert await client.chain.is_provider(did, gateway)
    await client.assets.transfer(did, provider.world.address("owner"))
    assert await client.assets.owner(did) == provider.world.address("owner")
