"""Everybody learns how the budgets for strangers stand, and nobody how much of them is left (ADR 0175)."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from insitu.api.gateway_v1 import BASE
from insitu.domain.ids import Address
from insitu.gateway.agreements.budget_reader import FRESH, BudgetReader
from insitu.ports.agreement_records import GasLeft
from insitu.ports.free_compute import ComputeCaps, ComputeLeft
from tests.doubles.clock import START, ControlledClock
from tests.gateway.purchases import offered_terms, signed
from tests.gateway.test_compute_that_pays_nothing_is_capped import NOTHING_PAID, buy, configure, executed
from tests.gateway.world import World

REGISTRATION = 10
BUDGET = 1000
SOON = START + timedelta(minutes=40)


class Memory:
    """What of the gateway's memory a reader asks for; it counts how often."""

    def __init__(self, gas: GasLeft, compute: dict[bool, int]) -> None:
        self.gas, self.compute = gas, compute
        self.asked = 0

    async def gas_left(self, *, free: bool, **_: object) -> GasLeft:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        return GasLeft(BUDGET) if free else self.gas

    async def compute_left(self, caps: ComputeCaps, *_: object) -> ComputeLeft | None:
        left = self.compute[caps.pays]
        return ComputeLeft("strangers", BUDGET, left, SOON if left == 0 else None)


def reader(left: int = BUDGET, again: datetime | None = None, *, compute: tuple[int, int] = (BUDGET, BUDGET)) -> Any:
    """Return a reader of a gateway that has so much left, with its memory and its clock."""
    chosen = SimpleNamespace(relay=True, relay_budget=BUDGET, free_gas_budget=BUDGET, free_compute=(None, None, BUDGET))
    memory, clock = Memory(GasLeft(left, again), dict(zip((False, True), compute, strict=True))), ControlledClock()

    async def registration(_: Address) -> int:
        return REGISTRATION

    ports: Any = SimpleNamespace(configuration=chosen, agreements=memory, clock=clock, provider=Address("0x00"))
    limiter: Any = SimpleNamespace(registration=registration)
    made = BudgetReader(ports=ports, free_gas_limiter=limiter)
    return SimpleNamespace(read=made.read, memory=memory, clock=clock)


@pytest.mark.parametrize(
    ("left", "word"), [(BUDGET, "enough"), (250, "enough"), (249, "low"), (10, "low"), (9, "usedUp"), (-5, "usedUp")]
)
async def test_less_than_a_quarter_is_low_and_what_no_sending_fits_into_is_used_up(left: int, word: str) -> None:
    relayed, free, compute = (await reader(left).read()).budgets
    assert (relayed.of, relayed.stands, relayed.until) == ("relayedGas", word, None)
    assert bool(relayed.next_step) == (word != "enough")
    assert (free.stands, compute.stands) == ("enough", "enough"), "each is counted by itself"


@pytest.mark.parametrize(("compute", "word"), [((250, 249), "low"), ((0, BUDGET), "usedUp"), ((249, 0), "usedUp")])
async def test_of_machine_time_the_scarcer_half_counts(compute: tuple[int, int], word: str) -> None:
    found = (await reader(compute=compute).read()).budgets[2]
    assert (found.of, found.stands) == ("freeCompute", word)
    assert "gateway.free_compute_of_strangers" in found.next_step


@pytest.mark.parametrize(("again", "told"), [(SOON, START + timedelta(hours=1)), (START, START)])
async def test_of_a_budget_that_is_used_up_everybody_learns_the_hour_alone(again: datetime, told: datetime) -> None:
    answer = await reader(0, again).read()
    assert answer.budgets[0].until == told
    words = json.dumps(answer.model_dump(mode="json", by_alias=True, exclude={"budgets": {"__all__": {"until"}}}))
    assert not any(digits in words.replace("24 hours", "") for digits in "0123456789"), "no amount is in the answer"


async def test_whoever_asks_within_a_minute_hears_the_same() -> None:
    asked = reader()
    async with anyio.create_task_group() as people:
        for _ in range(10):
            people.start_soon(asked.read)
    once = asked.memory.asked
    asked.memory.gas = GasLeft(0)
    asked.clock.advance(FRESH.total_seconds() - 1)
    assert (await asked.read()).budgets[0].stands == "enough"
    assert asked.memory.asked == once == 2, "relayed gas and free gas, once each"
    asked.clock.advance(1)
    assert (await asked.read()).budgets[0].stands == "usedUp"


async def budgets(provider: World) -> dict[str, dict[str, Any]]:
    """Ask as anybody can, a while after the last answer."""
    provider.gateway.budget_reader._known.clear()
    answer = await provider.http.get(BASE + "/budgets")
    assert answer.status_code == 200, answer.text
    return {budget.pop("of"): budget for budget in answer.json()["budgets"]}


@pytest.mark.needs("chain")
async def test_a_gateway_without_limits_has_enough(provider: World) -> None:
    enough = {"stands": "enough", "until": None, "nextStep": ""}
    assert await budgets(provider) == {"relayedGas": enough, "freeGas": enough, "freeCompute": enough}
    configure(provider, relay=False)
    assert set(await budgets(provider)) == {"freeGas", "freeCompute"}, "who sends nothing has no budget for it"


@pytest.mark.needs("chain")
async def test_what_a_stranger_took_is_seen_at_the_gateway(provider: World) -> None:
    await provider.gateway.relayer.relay(await signed(provider, await offered_terms(provider)))
    since = provider.gateway.ports.clock.now() - timedelta(hours=1)
    taken = (await provider.agreements.relayed(provider.address("consumer"), since)).cost
    configure(provider, relay_budget=taken, free_gas_budget=0)
    seen = await budgets(provider)
    assert [seen[of]["stands"] for of in ("relayedGas", "freeGas", "freeCompute")] == ["usedUp", "usedUp", "enough"]
    assert datetime.fromisoformat(seen["relayedGas"]["until"]).minute == 0
    assert seen["freeGas"]["until"] is None, "no time gives gas to a budget of nothing"


@pytest.mark.needs("chain")
async def test_machine_time_that_was_used_is_seen_at_the_gateway(provider: World) -> None:
    configure(provider, free_compute=(None, None, 1))
    await executed(provider, await buy(provider, **NOTHING_PAID))
    seen = (await budgets(provider))["freeCompute"]
    assert seen["stands"] == "usedUp"
    assert datetime.fromisoformat(seen["until"]).minute == 0
