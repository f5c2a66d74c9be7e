"""`kill -9` of `insitu up` at any moment: nothing is lost or doubled, and the money is right."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from insitu.domain.amount import Amount
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.sdk.agreements import Agreement
from insitu.sdk.execution import Execution
from insitu.testing.provider import ProviderProcess
from tests.chaos.crashes import children, gated_workflow, running, saved
from tests.chaos.ledger import paid_once, results_of, settlements_of
from tests.leftovers import contained, gone
from tests.market import PAID, SETTLED, UNPAID, Balances, Market

MANY_FILES = """
import pathlib
for number in range(60):
    pathlib.Path(f"/mnt/output/{number}.txt").write_text(f"file {number}")
print("written", flush=True)
"""


async def first_line(execution: Execution) -> None:
    """Return once the algorithm has printed something."""
    async for _ in execution.logs():
        return


def power_cut(provider: ProviderProcess) -> None:
    """Kill the provider, and start it again with what it left."""
    provider.kill()
    provider.start()


async def ended(execution: Execution) -> Phase:
    """The phase at the end; a restart may interrupt the wait for it."""
    seen = await execution.wait(60)
    assert seen.phase in (Phase.SUCCEEDED, Phase.FAILED), seen
    assert seen.phase is Phase.SUCCEEDED or seen.reason is not None
    return seen.phase


async def gated(market: Market) -> tuple[Path, Agreement]:
    """A folder in which the algorithm waits for a file named `go`, and an agreement to run that algorithm on it."""
    folder, workflow = await gated_workflow(market)
    return folder, await market.consumer.agreements.buy(workflow)


async def test_a_kill_while_the_algorithm_runs_costs_one_attempt(market: Market) -> None:
    before, earlier = await market.balances(), await results_of(market)
    folder, agreement = await gated(market)
    execution = await market.consumer.compute.execute(agreement.id)
    await running(execution, 1)

    power_cut(market.provider)
    await running(execution, 2)
    (folder / "go").touch()

    seen = await execution.wait(60)
    assert seen.phase is Phase.SUCCEEDED, seen.reason
    assert (await market.files(execution))["out.txt"] == "done"
    assert await market.changes(before) == PAID
    [settlement] = await settlements_of(market, agreement.id)
    assert settlement.receipt_hash == (await execution.receipt()).receipt_hash
    assert await results_of(market) == [*earlier, seen.result_did]
    await gone(market.provider.home, execution.execution_id)


async def test_an_execution_that_is_interrupted_each_time_ends_with_a_reason_and_costs_nothing(market: Market) -> None:
    folder, agreement = await gated(market)
    before, earlier = await market.balances(), await results_of(market)
    execution = await market.consumer.compute.execute(agreement.id)
    for attempt in (1, 2):
        await running(execution, attempt)
        power_cut(market.provider)

    seen = await execution.wait(60)

    assert (seen.phase, seen.reason and seen.reason.code) == (Phase.FAILED, "Interrupted")
    assert seen.charge == Amount.from_base_units(0)
    assert (await market.stranger.verify(await execution.receipt(), on_chain=False)).statement
    assert await market.changes(before) == UNPAID, "the money waits in escrow"
    assert await results_of(market) == earlier
    await gone(market.provider.home, execution.execution_id)
    (folder / "go").touch()
    again = await market.consumer.compute.execute(agreement.id)
    assert await ended(again) is Phase.SUCCEEDED, "what was bought can be run again"


async def test_a_container_that_somebody_kills_ends_with_a_reason(market: Market) -> None:
    folder, agreement = await gated(market)
    before = await market.balances()
    execution = await market.consumer.compute.execute(agreement.id)
    await running(execution, 1)
    (folder / "go").touch()  # for another attempt, if there is one

    for pid in contained(execution.execution_id):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    phase = await ended(execution)
    assert await market.changes(before) == (SETTLED if phase is Phase.SUCCEEDED else UNPAID)
    await gone(market.provider.home, execution.execution_id)


async def test_a_killed_chain_is_started_again_and_forgets_no_money(market: Market) -> None:
    folder, agreement = await gated(market)
    before = await market.balances()
    execution = await market.consumer.compute.execute(agreement.id)
    await running(execution, 1)
    await saved(market)
    [anvil] = children(market.provider.pid, "anvil")
    os.kill(anvil, signal.SIGKILL)
    (folder / "go").touch()

    assert await ended(execution) is Phase.SUCCEEDED, "the provider waits for its chain"
    assert await market.changes(before) == SETTLED
    assert len(await settlements_of(market, agreement.id)) == 1


# Names of events, or of the phase in an event; the kill follows as soon as it arrives.
MOMENTS = ["Publishing", "result", "settled"]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_kill_while_it_is_finished_makes_no_second_result_and_no_second_payment(
    market: Market, moment: str
) -> None:
    before, earlier = await market.balances(), await results_of(market)
    agreement = await market.buy(MANY_FILES)
    execution = await market.consumer.compute.execute(agreement.id)
    async for event in execution.events():
        if moment in (event.type, event.data.get("phase")):
            break

    power_cut(market.provider)

    await whole(market, execution, agreement.id, before, earlier)


@pytest.mark.parametrize("milliseconds", [0, 100])
async def test_a_kill_at_no_particular_moment_behind_the_algorithm_is_the_same(
    market: Market, milliseconds: int
) -> None:
    before, earlier = await market.balances(), await results_of(market)
    agreement = await market.buy(MANY_FILES)
    execution = await market.consumer.compute.execute(agreement.id)
    await first_line(execution)
    await anyio.sleep(milliseconds / 1000)

    power_cut(market.provider)

    await whole(market, execution, agreement.id, before, earlier)


async def whole(market: Market, execution: Execution, agreement: str, before: Balances, earlier: list[str]) -> None:
    """Require the one good end: paid once, every file there, and nothing left behind."""
    assert await ended(execution) is Phase.SUCCEEDED, (await execution.status()).reason
    await paid_once(market, execution, agreement, before, earlier)
    files = {name: text for name, text in (await market.files(execution)).items() if not name.startswith("logs/")}
    assert files == {f"{number}.txt": f"file {number}" for number in range(60)}
    await gone(market.provider.home, execution.execution_id)


async def test_a_request_that_a_kill_cut_off_is_repeated_without_a_second_execution(market: Market) -> None:
    agreement = await market.buy()
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with suppress(InsituError):
                await market.consumer.compute.execute(agreement.id, idempotency_key="the same")

        tasks.start_soon(ask)
        await anyio.sleep(0.05)
        power_cut(market.provider)
    execution = await market.consumer.compute.execute(agreement.id, idempotency_key="the same")
    assert await ended(execution) is Phase.SUCCEEDED
    assert [one.number for one in await market.consumer.compute.executions(agreement.id)] == [0]
