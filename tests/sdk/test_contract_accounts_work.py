"""A Safe-like account works with the SDK: it signs in, buys, runs and downloads. A provider cannot have one."""

from pathlib import Path

import pytest

from insitu.adapters.chain.contracts import encode_call
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Call
from tests.doubles.safe import Safe, deploy_safe
from tests.gateway.world import RESULT, approval
from tests.sdk.market import Market

pytestmark = pytest.mark.needs("chain")


async def safe_with_tokens(market: Market) -> Safe:
    """A contract account of consumer and stranger with 100 base units and no coin, known as ``safe``."""
    world = market.world
    safe = await deploy_safe(world.chain.url, (world.people["consumer"], world.people["stranger"]))
    await world.chain.transact(Call("NeverminedToken", "transfer", (safe.address, 100)), world.people["consumer"])
    world.people["safe"] = safe  # type: ignore[assignment]  # it signs like a key
    return safe


async def test_a_contract_account_buys_runs_and_downloads(provider: Market, tmp_path: Path) -> None:
    world, safe = provider.world, await safe_with_tokens(provider)
    workflow = await world.simple_workflow(await world.publish_dataset())
    client, _ = await provider.client("safe")
    with pytest.raises(InsituError, match="approve") as refused:
        await client.agreements.buy(workflow, relay=True)
    assert refused.value.code == "AllowanceTooLow"
    call = approval(world.chain, 13)
    await safe.execute(world.chain.contract(call.contract), encode_call(call), world.people["stranger"])

    bought = await client.agreements.buy(workflow, relay=True)
    execution = await client.compute.execute(bought.id)
    await execution.wait()
    folder = tmp_path / "results"
    await execution.download(folder)
    assert RESULT in [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    assert await world.chain.balance(safe.address) == 87


async def test_a_contract_account_publishes_updates_buys_runs_and_downloads(provider: Market, tmp_path: Path) -> None:
    """It is the creator of what it publishes, has no coin, and signs nothing but typed data and messages."""
    world, safe = provider.world, await safe_with_tokens(provider)
    object.__setattr__(world.configuration, "creators", (*world.configuration.creators, safe.address))
    owner, _ = await provider.client("owner")
    client, _ = await provider.client("safe")
    own = await provider.dataset(client, "Own flights")
    changed = {"additionalInformation": {"description": "as of today"}}
    updated = await client.assets.update_asset(own, changed)
    assert updated.ddo.proof is not None
    assert (updated.ddo.proof.creator, updated.owner) == (safe.address, safe.address)
    assert [version.registrant for version in await client.assets.versions(own)] == [safe.address] * 2

    data = await provider.dataset(owner, revisions="always")
    call = approval(world.chain, 13)
    await safe.execute(world.chain.contract(call.contract), encode_call(call), world.people["stranger"])
    script = tmp_path / "count.py"
    script.write_text("print('countnig')\n")
    execution = await client.run(script, on=data)
    await execution.wait()
    signed = len(safe.signed)
    script.write_text("print('counting')\n")
    revised = await client.revise(execution.agreement_id, script)
    await revised.wait()
    assert len(safe.signed) == signed + 1
    folder = tmp_path / "results"
    await revised.download(folder)
    assert RESULT in [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    receipt = await client.verify(await revised.receipt(), on_chain=False)
    assert receipt.statement.predicate.agreement.terms.consumer == safe.address
    assert await world.chain.native_balance(safe.address) == 0


async def test_a_provider_with_a_contract_account_is_refused_before_anything_is_published_or_paid(
    provider: Market,
) -> None:
    world = provider.world
    workflow = await world.simple_workflow(await world.publish_dataset())
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    account = world.address("provider")
    await world.chain.rpc("anvil_setCode", account, "0x60006000fd")
    try:
        for attempt in (provider.dataset(owner), consumer.agreements.buy(workflow)):
            with pytest.raises(InsituError, match=account) as refused:
                await attempt
            assert refused.value.code == "ProviderIsContract"
    finally:
        await world.chain.rpc("anvil_setCode", account, "0x")
    assert await world.chain.find_agreements(world.address("consumer")) == ()
