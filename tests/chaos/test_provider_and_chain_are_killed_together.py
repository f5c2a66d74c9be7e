"""`kill -9` of provider and chain at one moment: what the chain forgets is sent again, and every success is paid once.

The development chain saves itself after its blocks, a large one seldom (`adapters/chain/embedded.py`), so its file may
be older than what the provider remembers. Here it always is: it has no purchase that the provider sent, and of the
other the lock without the grant. Whatever refuses a settlement then is there again a moment later.
"""

from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.sdk.agreements import Agreement
from insitu.sdk.execution import Execution
from insitu.stack.examining import given_up
from tests.chaos.crashes import gated_workflow, kill_with_chain, running, saved
from tests.chaos.ledger import results_of, settlements_of
from tests.leftovers import gone
from tests.market import PAID, Market


@dataclass(frozen=True)
class Bought:
    """Two agreements to run the same workflow, and the chain's file as it was before they were granted."""

    agreements: tuple[Agreement, Agreement]
    file: Path
    old: bytes
    go: Path


@pytest.mark.parametrize("moment", ["granted", "running", "succeeded"])
async def test_every_execution_is_settled_once_though_the_chain_forgot_its_grant(market: Market, moment: str) -> None:
    before, earlier = await market.balances(), await results_of(market)
    bought = await two_purchases(market)
    if moment == "granted":
        power_cut(market, bought)
        executions = await executed(market, bought)
        bought.go.touch()
    else:
        executions = await executed(market, bought)
        for execution in executions:
            await running(execution, 1)
        if moment == "succeeded":
            await unsettled(market, bought)
        power_cut(market, bought)
        bought.go.touch()

    for agreement, execution in zip(bought.agreements, executions, strict=True):
        await settled_once(market, agreement, execution)
    assert await market.changes(before) == tuple(2 * change for change in PAID)
    registered = (await results_of(market))[len(earlier) :]
    assert sorted(registered) == sorted([str((await one.status()).result_did) for one in executions])
    assert await given_up(market.provider.settings) == ()
    for execution in executions:
        await gone(market.provider.home, execution.execution_id)


async def two_purchases(market: Market) -> Bought:
    """One that the consumer sends, of which the chain will remember only the lock, and one that the provider sends."""
    folder, workflow = await gated_workflow(market)
    await market.rpc("evm_setAutomine", False)
    async with anyio.create_task_group() as tasks:
        sent: list[Agreement] = []

        async def buy() -> None:
            sent.append(await market.consumer.agreements.buy(workflow, relay=False, wait=False))

        tasks.start_soon(buy)
        await waiting(market, 1)
        await market.rpc("evm_mine")
    await waiting(market, 1)  # for its grant
    file = await saved(market)
    old = await anyio.Path(file).read_bytes()
    await market.rpc("evm_setAutomine", True)
    await market.rpc("evm_mine")
    granted = await market.consumer.agreements.wait_for_grant(sent[0].id)
    relayed = await market.consumer.agreements.buy(workflow, relay=True)
    assert relayed.state.granted
    return Bought((granted, relayed), file, old, folder / "go")


async def waiting(market: Market, transactions: int) -> None:
    """Return once so many transactions wait for a block."""
    with anyio.fail_after(60):
        # A development chain does not announce what waits for a block, so it has to be asked.
        while int((await market.rpc("txpool_status"))["pending"], 16) < transactions:  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def executed(market: Market, bought: Bought) -> list[Execution]:
    """Execute both, which is refused for as long as the chain lacks what it has forgotten."""
    return [await accepted(market, agreement) for agreement in bought.agreements]


async def accepted(market: Market, agreement: Agreement) -> Execution:
    refused = ""
    with anyio.move_on_after(60):
        while True:
            try:
                return await market.consumer.compute.execute(agreement.id, idempotency_key=agreement.id)
            except InsituError as error:
                refused = str(error)
            await anyio.sleep(0.1)
    raise AssertionError(f"the execution is still refused: {refused}")


async def unsettled(market: Market, bought: Bought) -> None:
    """Let both succeed on a chain that makes one block more: it registers both results, and their payments wait."""
    await market.rpc("evm_setAutomine", False)
    bought.go.touch()
    await waiting(market, 2)
    await market.rpc("evm_mine")
    await waiting(market, 2)


def power_cut(market: Market, bought: Bought) -> None:
    """Kill both, and start again with what the chain had saved at the purchase."""
    kill_with_chain(market.provider)
    bought.file.write_bytes(bought.old)
    market.provider.start()


async def settled_once(market: Market, agreement: Agreement, execution: Execution) -> None:
    """Require a success, one settlement with its receipt, and that each is reported once, with no alarm."""
    seen = await execution.wait(60)
    assert (seen.phase, seen.alarm) == (Phase.SUCCEEDED, None), seen
    [settlement] = await settlements_of(market, agreement.id)
    assert settlement.receipt_hash == seen.receipt_hash == (await execution.receipt()).receipt_hash
    types = [event.type async for event in execution.events()]
    assert [types.count(one) for one in ("result", "settled", "end", "alarm")] == [1, 1, 1, 0]
