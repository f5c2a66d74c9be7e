"""A Java program that is killed in the middle finds what it bought, and releases what its provider does not."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import run_java
from tests.market import LOCKED, PAID, open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

CONSUMER = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
PROGRAMS = Path(__file__).parent / "programs"
KILLED = 9


@pytest.mark.parametrize("way", ["own", "relayed"])
async def test_the_seed_finds_what_was_bought_before_the_program_was_killed(
    provider: ProviderProcess, way: str
) -> None:
    node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
    async with open_market(provider) as market:
        workflow = await market.workflow()
        before = await market.balances()
        arguments = (provider.url, CONSUMER, f"{node}/", workflow.did, {"own": "ab", "relayed": "cd"}[way] * 32, way)
        program, proxy = PROGRAMS / "Dies.java", PROGRAMS / "LyingProxy.java"
        assert run_java(program, *arguments, "killed", shared=proxy, code=KILLED) == ""
        agreement, status = run_java(program, *arguments, "lives", shared=proxy).split()
        assert status == "granted"
        [found] = [one for one in await market.consumer.agreements.list() if one.id == agreement]
        assert found.workflow_did == workflow.did
        assert await market.changes(before) == LOCKED, "it was bought once"


async def test_the_payment_of_a_receipt_is_released_where_the_provider_has_no_coin(provider: ProviderProcess) -> None:
    node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
    async with open_market(provider) as market:
        workflow = await market.workflow()
        before = await market.balances()
        agreement = await market.consumer.agreements.buy(workflow.did)
        account = (await market.consumer.gateway.info()).provider_address
        held = await market.rpc("eth_getBalance", account, "latest")
        await market.rpc("anvil_setBalance", account, "0x0")
        try:
            told = run_java(PROGRAMS / "Releases.java", provider.url, CONSUMER, node, agreement.id)
            execution, released, again = told.split()
            assert (released, again) == ("released", "ExecutionAlreadySettled")
            assert await market.changes(before) == PAID
        finally:
            await market.rpc("anvil_setBalance", account, held)
        async for event in (await market.consumer.compute.execution(agreement.id, execution)).events():
            settled = event.type == "settled"
            if settled:
                break
        assert settled, "the provider heard of it"
        assert await market.changes(before) == PAID, "it was released once"
