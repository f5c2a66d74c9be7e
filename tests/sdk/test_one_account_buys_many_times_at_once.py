"""Simultaneous purchases of one account all succeed: a process makes its permits, which have numbers, in turn."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.signer import LocalSigner
from insitu.domain.errors import InsituError
from insitu.domain.ledger import Permit
from insitu.ports.keys import Signer
from insitu.sdk.agreements import Agreement
from insitu.sdk.client import Client
from insitu.sdk.http import Http
from insitu.waiting import Backoff
from tests.gateway.world import PUBLIC_URL
from tests.parts import ROOT
from tests.sdk.market import Detour, Market, market
from tests.sdk.test_buying_believes_only_what_the_documents_say import workflow_on

pytestmark = [pytest.mark.needs("chain"), pytest.mark.slow]

PRICE = 13

ANOTHER_PROCESS = """
import anyio, json, sys
from tests.sdk.test_one_account_buys_many_times_at_once import at_once, elsewhere

given = json.load(sys.stdin)

async def main():
    async with elsewhere(given) as clients:
        bought = await at_once(clients, given["workflow"], given["count"], relay=given["relay"])
    print(json.dumps([one.id for one in bought]))

anyio.run(main)
"""


@pytest.fixture
async def generous(chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[Market]:
    """A provider that sends as many purchases as it is asked to."""
    async with market(chain, tmp_path, relays_per_day=100, relay_budget=10**20) as provider:
        yield provider


async def ready(provider: Market) -> str:
    """A workflow of the consumer that costs 13."""
    owner, _ = await provider.client("owner")
    consumer, _ = await provider.client("consumer")
    return await workflow_on(provider, consumer, await provider.dataset(owner))


async def at_once(clients: list[Client], workflow: str, count: int, *, relay: bool) -> list[Agreement]:
    """Buy this often at the same moment, with one client after the other."""
    bought: list[Agreement] = []

    async def buy(client: Client) -> None:
        bought.append(await client.agreements.buy(workflow, relay=relay, wait=False))

    async with anyio.create_task_group() as buying:
        for number in range(count):
            buying.start_soon(buy, clients[number % len(clients)])
    return bought


async def all_paid(provider: Market, before: int, ids: set[str], count: int) -> None:
    consumer, _ = await provider.client("consumer")
    assert len(ids) == count
    assert {agreement.id for agreement in await consumer.agreements.list()} == ids
    assert await consumer.chain.balance(consumer.account) == before - count * PRICE
    assert await consumer.chain.allowance(consumer.account, consumer.chain.agreements.contract) == 0


@pytest.mark.parametrize("relay", [True, False], ids=["relayed", "sent by the consumer"])
async def test_thirty_at_once_from_one_process_succeed(generous: Market, relay: bool) -> None:
    workflow = await ready(generous)
    clients = [(await generous.client("consumer"))[0] for _ in range(2)]
    before = await clients[0].chain.balance(clients[0].account)
    bought = await at_once(clients, workflow, 30, relay=relay)
    await all_paid(generous, before, {one.id for one in bought}, 30)


async def test_clients_in_threads_of_one_process_take_turns(generous: Market) -> None:
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    before, bought = await consumer.chain.balance(consumer.account), list[Agreement]()

    async def in_a_loop_of_its_own() -> None:
        async with elsewhere(given(generous, workflow)) as clients:
            bought.extend(await at_once(clients, workflow, 2, relay=False))

    async with anyio.create_task_group() as threads:
        for _ in range(4):
            threads.start_soon(anyio.to_thread.run_sync, anyio.run, in_a_loop_of_its_own)
    await all_paid(generous, before, {one.id for one in bought}, 8)


@pytest.mark.parametrize("relay", [True, False], ids=["relayed", "sent by the consumer"])
async def test_ten_at_once_from_each_of_three_processes_succeed(generous: Market, relay: bool) -> None:
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    before, told = await consumer.chain.balance(consumer.account), list[str]()
    text = json.dumps(given(generous, workflow) | {"count": 10, "relay": relay})

    async def process() -> None:
        command = [sys.executable, "-c", ANOTHER_PROCESS]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        ended = await anyio.run_process(command, input=text.encode(), stderr=subprocess.STDOUT, check=False, env=env)
        assert ended.returncode == 0, ended.stdout.decode()
        told.extend(json.loads(ended.stdout))

    async with anyio.create_task_group() as processes:
        for _ in range(3):
            processes.start_soon(process)
    await all_paid(generous, before, set(told), 30)


async def test_no_permit_allows_more_than_a_price(generous: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    signed: list[int] = []
    permit = EvmChain.permit

    async def noted(self: EvmChain, signer: Signer, spender: str, amount: int, deadline: int) -> Permit:
        signed.append(amount)
        return await permit(self, signer, spender, amount, deadline)

    monkeypatch.setattr(EvmChain, "permit", noted)
    await at_once([consumer], workflow, 3, relay=False)
    assert signed == [PRICE] * 3


async def test_a_permit_that_nobody_else_used_is_not_signed_again(
    generous: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that another nonce would not fix is raised; it is not a race."""
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    attempts: list[bool] = []

    async def refused(*_: Any) -> None:
        attempts.append(True)
        raise InsituError("AllowanceTooLow", "the token takes no permits")

    monkeypatch.setattr(consumer.chain, "transact", refused)
    with pytest.raises(InsituError, match="takes no permits"):
        await consumer.agreements.buy(workflow, relay=False)
    assert len(attempts) == 1


async def test_an_account_whose_nonce_is_always_taken_gets_an_error_in_the_end(
    generous: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    attempts: list[int] = []

    async def refused(*_: Any) -> None:
        raise InsituError("AllowanceTooLow", "somebody was faster")

    async def numbered(*_: Any) -> Permit:
        attempts.append(len(attempts))
        return Permit(PRICE, 1, v=len(attempts))

    monkeypatch.setattr(consumer.chain, "transact", refused)
    monkeypatch.setattr(consumer.chain, "permit", numbered)
    monkeypatch.setattr("insitu.sdk.purchases.STEP_ASIDE", Backoff(0.001, 0.001))
    with pytest.raises(InsituError, match="somebody was faster"):
        await consumer.agreements.buy(workflow, relay=False)
    assert len(attempts) == 6


async def test_a_cancelled_purchase_leaves_the_queue(generous: Market) -> None:
    workflow, (consumer, _) = await ready(generous), await generous.client("consumer")
    async with consumer.agreements._purchases.turn(PRICE):
        with anyio.move_on_after(0.2) as waiting:
            await consumer.agreements.buy(workflow, relay=False)
        assert waiting.cancelled_caught
    with anyio.fail_after(60):
        assert (await consumer.agreements.buy(workflow, relay=False)).status == "granted"


def given(provider: Market, workflow: str) -> dict[str, Any]:
    """What a process needs to know to buy with the consumer's key."""
    chain = provider.world.chain
    return {
        "rpc": chain.url,
        "deployments": chain.deployments.model_dump(mode="json", by_alias=True),
        "key": provider.world.people["consumer"]._key.secret.hex(),
        "port": provider.port,
        "workflow": workflow,
    }


@asynccontextmanager
async def elsewhere(told: dict[str, Any]) -> AsyncIterator[list[Client]]:
    """A client of the consumer, made only from what another process was given."""
    chain = EvmChain(told["rpc"], Deployments.model_validate(told["deployments"]))
    signer = LocalSigner(bytes.fromhex(told["key"]))
    async with Http(transport=Detour(told["port"])) as http, Client(chain, signer, PUBLIC_URL, http=http) as client:
        yield [client]
