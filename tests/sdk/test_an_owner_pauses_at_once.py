"""``assets.pause`` takes the provider from the registry, or marks what the gateway owns; ``resume`` undoes both."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from insitu.sdk.client import Client
from tests.sdk.market import Market, market
from tests.sdk.test_buying_believes_only_what_the_documents_say import workflow_on

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]


@pytest.fixture
async def relaying(chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[Market]:
    async with market(chain, tmp_path, relay=True, relay_budget=10**18, relays_per_day=10) as made:
        yield made


async def until(chain_says: Client, did: str, provider: str, *, allowed: bool) -> None:
    with anyio.fail_after(20):
        while await chain_says.chain.is_provider(did, provider) is not allowed:  # type: ignore[arg-type] # noqa: ASYNC110
            await anyio.sleep(0.05)


@pytest.mark.parametrize("coin", [True, False], ids=["with coin", "without coin"])
async def test_a_pause_is_in_the_registry_and_a_resume_takes_it_out(relaying: Market, coin: bool) -> None:
    owner, _ = await relaying.client("owner")
    consumer, _ = await relaying.client("consumer")
    did, gateway = await relaying.dataset(owner), relaying.world.address("provider")
    workflow = await workflow_on(relaying, consumer, did)
    held = await owner.chain.native_balance(owner.account)
    if not coin:
        await relaying.world.chain.rpc("anvil_setBalance", owner.account, "0x0")
    paused = await owner.assets.pause(did)
    assert (paused.paused, paused.here_alone) == (True, False)
    await until(owner, did, gateway, allowed=False)
    assert (await owner.assets.status(did)).state == "retired"
    assert [reason.code for reason in (await consumer.agreements.check(workflow)).reasons] == [
        "NotDIDProvider",
        "AssetRetired",
    ]
    # A new version of the document, which lists it again, costs its owner coin.
    await relaying.world.chain.rpc("anvil_setBalance", owner.account, hex(held))
    await owner.assets.resume(did)
    assert await owner.chain.is_provider(did, gateway)
    assert (await owner.assets.status(did)).state == "listed"
    assert (await consumer.agreements.check(workflow)).allowed


async def test_what_the_gateways_account_owns_is_marked_and_stays_in_the_registry(provider: Market) -> None:
    own, _ = await provider.client("provider")
    did = await provider.dataset(own)
    assert (await own.assets.pause(did)).here_alone
    assert await own.chain.is_provider(did, own.account)
    assert await provider.world.agreements.paused() == {did: False}
    await own.assets.pause(did, stop_running=True)
    assert await provider.world.agreements.paused() == {did: True}
    await own.assets.resume(did)
    assert await provider.world.agreements.paused() == {}


async def test_a_stranger_pauses_nothing(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    stranger, _ = await provider.client("stranger")
    did = await provider.dataset(owner)
    with pytest.raises(InsituError, match="NotDIDOwner"):
        await stranger.assets.pause(did)
    assert await owner.chain.is_provider(did, provider.world.address("provider"))
    assert (await owner.assets.status(did)).state == "listed"


async def test_without_coin_and_without_relaying_the_error_says_what_to_do(provider: Market) -> None:
    owner, _ = await provider.client("owner")
    did = await provider.dataset(owner)
    object.__setattr__(provider.world.configuration, "relay", False)
    await provider.world.chain.rpc("anvil_setBalance", owner.account, "0x0")
    with pytest.raises(InsituError) as refused:
        await owner.assets.pause(did)
    assert refused.value.code == "RelayOff"
    assert "account that can pay for gas" in refused.value.definition.next_step


async def test_a_gateway_does_not_choose_which_account_is_removed_or_comes_back(provider: Market) -> None:
    """The chain says which accounts the owner let provide the data, whatever the gateway says about its own."""
    owner, detour = await provider.client("owner")
    did, gateway = await provider.dataset(owner), provider.world.address("provider")
    liar, second = provider.world.address("stranger"), provider.world.address("second-owner")
    added = Call("DIDRegistry", "addDIDProvider", (bytes(Did.parse(did)), second))
    await provider.world.chain.transact(added, provider.world.people["owner"])

    def lie(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        content = response.content.replace(gateway.encode(), liar.encode())
        headers = {"content-type": response.headers["content-type"]}
        return httpx.Response(response.status_code, content=content, headers=headers, request=request)

    detour.answered = lie
    await owner.assets.pause(did)
    assert await owner.chain.providers(did) == {gateway: False, second: False}
    assert not await owner.chain.is_provider(did, gateway)
    with pytest.raises(InsituError, match="NotDIDProvider") as refused:
        await owner.assets.resume(did)
    assert liar in refused.value.detail
    assert not await owner.chain.is_provider(did, liar)

    detour.answered = None
    await owner.assets.resume(did)
    assert await owner.chain.providers(did) == {gateway: True, second: False}


async def test_a_gateway_that_is_away_keeps_nobody_from_removing_it(provider: Market) -> None:
    owner, detour = await provider.client("owner")
    did, gateway = await provider.dataset(owner), provider.world.address("provider")
    detour.failing = lambda _: True
    with pytest.raises(InsituError, match="PeerUnavailable"):
        await owner.assets.pause(did)
    assert not await owner.chain.is_provider(did, gateway)
