"""`kill -9` of a gateway that closes an agreement or obeys a pause: each price goes where it belongs, once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.ids import read_agreement_id
from tests.chaos.crashes import gated_workflow, running
from tests.chaos.ledger import settlements_of
from tests.market import LOCKED, PAID, PRICE, SERVER_PRICE, UNPAID, Market

MOMENTS = [0, 15, 30, 60, 120]
FAILING = "raise SystemExit(1)\n"


async def killed_during(market: Market, ask: Callable[[], Awaitable[Any]], milliseconds: int) -> None:
    """Ask for something, and kill the gateway this much later; start it again."""
    async with anyio.create_task_group() as tasks:

        async def asking() -> None:
            with suppress(InsituError):
                await ask()

        tasks.start_soon(asking)
        await anyio.sleep(milliseconds / 1000)
        market.provider.kill()
        await anyio.to_thread.run_sync(market.provider.start)


async def until_answered(ask: Callable[[], Awaitable[Any]]) -> None:
    """Ask again until there is an answer, as a person does who got none."""
    with anyio.fail_after(60):
        while True:
            with suppress(InsituError):
                await ask()
                return
            await anyio.sleep(0.1)


async def until_settled(market: Market, agreement: str, *, closed: bool) -> None:
    with anyio.fail_after(60):
        while True:
            state = await market.consumer.chain.agreement(read_agreement_id(agreement))
            if state.closed if closed else state.settled:
                return
            await anyio.sleep(0.1)


@pytest.mark.parametrize("milliseconds", MOMENTS)
async def test_a_gateway_that_is_killed_returns_a_price_once(market: Market, milliseconds: int) -> None:
    before = await market.balances()
    agreement = (await market.buy()).id

    async def close() -> object:
        return await market.consumer.agreements.close(agreement)

    await killed_during(market, close, milliseconds)
    await until_answered(close)
    await until_settled(market, agreement, closed=True)
    [settlement] = await settlements_of(market, agreement)
    assert (settlement.last, settlement.charge) == (True, 0)
    assert await market.changes(before) == UNPAID
    with pytest.raises(InsituError, match=r"AgreementClosing|AgreementExpired"):
        await market.consumer.compute.execute(agreement)


@pytest.mark.parametrize("milliseconds", MOMENTS)
async def test_a_gateway_that_is_killed_charges_a_close_once(market: Market, milliseconds: int) -> None:
    before = await market.balances()
    agreement, execution = await market.run(FAILING)
    price = Amount.from_base_units(PRICE + SERVER_PRICE)

    async def close() -> object:
        return await market.consumer.agreements.close(agreement.id, max_charge=price)

    await killed_during(market, close, milliseconds)
    await until_answered(close)
    await until_settled(market, agreement.id, closed=False)
    [settlement] = await settlements_of(market, agreement.id)
    assert (settlement.last, settlement.charge) == (False, price.base_units)
    assert settlement.receipt_hash == (await execution.receipt()).receipt_hash
    assert await market.changes(before) == PAID


@pytest.mark.parametrize("milliseconds", [15, 120])
async def test_a_gateway_that_is_killed_obeys_a_pause_once(market: Market, milliseconds: int) -> None:
    folder, workflow = await gated_workflow(market)
    before = await market.balances()
    used, unused = [(await market.consumer.agreements.buy(workflow)).id for _ in range(2)]
    execution = await market.consumer.compute.execute(used)
    await running(execution, 1)
    did = (await market.consumer.agreements.show(used)).did

    async def pause() -> object:
        return await market.publisher.assets.pause(did, stop_running=True)

    await killed_during(market, pause, milliseconds)
    await until_answered(pause)
    seen = await execution.wait(60)
    (folder / "go").touch()
    assert (seen.phase, seen.reason and seen.reason.code) == (Phase.STOPPED, "StoppedByOwner")
    await until_settled(market, unused, closed=True)
    [settlement] = await settlements_of(market, unused)
    assert (settlement.last, settlement.charge) == (True, 0)
    assert await settlements_of(market, used) == (), "log text was delivered, so it may be charged at the end"
    assert await market.changes(before) == LOCKED, "the price of one went back, and that of the other waits"
