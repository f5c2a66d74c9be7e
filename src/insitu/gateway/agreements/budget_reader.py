"""``GET budgets``: how much strangers may still have today, in words (ADR 0175).

Amounts and minutes would tell a stranger when to come, so there are neither: three words, full hours, and an answer
that is kept for a minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio

from insitu.api.budgets_v1 import Budget, BudgetKind, Budgets, BudgetStanding
from insitu.domain.ids import Address
from insitu.gateway.agreements.free_gas_limiter import TIMES, FreeGasLimiter
from insitu.gateway.ports import GatewayPorts
from insitu.ports.free_compute import ComputeCaps

FRESH = timedelta(minutes=1)
LOW = 4
"""Less than one of so many parts is low."""
_HOUR = timedelta(hours=1)
_WORDS: tuple[BudgetStanding, ...] = ("enough", "low", "usedUp")
_SETTINGS: Mapping[BudgetKind, str] = {
    "relayedGas": "gateway.relay_budget",
    "freeGas": "gateway.free_gas_budget",
    "freeCompute": "gateway.free_compute_of_strangers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReader:
    """Asks for what is left, at most once a minute however many people look."""

    ports: GatewayPorts
    free_gas_limiter: FreeGasLimiter
    _lock: anyio.Lock = field(init=False, default_factory=anyio.Lock)
    _known: list[tuple[datetime, Budgets]] = field(init=False, default_factory=list)

    async def read(self) -> Budgets:
        """Return how the budgets stand, or stood up to a minute ago. Raises ``ChainUnavailable``."""
        async with self._lock:
            now = self.ports.clock.now()
            if not self._known or not timedelta(0) <= now - self._known[0][0] < FRESH:
                self._known[:] = [(now, Budgets(budgets=await self._ask(now)))]
            return self._known[0][1]

    async def _ask(self, now: datetime) -> tuple[Budget, ...]:
        chosen = self.ports.configuration
        registration = await self.free_gas_limiter.registration(self.ports.provider)
        found = [
            await self._gas("freeGas", chosen.free_gas_budget, TIMES * registration, now),
            await self._compute(now),
        ]
        if chosen.relay:
            found.insert(0, await self._gas("relayedGas", chosen.relay_budget, registration, now))
        return tuple(found)

    async def _gas(self, of: BudgetKind, budget: int | None, cost: int, now: datetime) -> Budget:
        """Say how gas stands: it is used up if the next sending does not fit."""
        if budget is None:
            return Budget(of=of, stands="enough")
        found = await self.ports.agreements.gas_left(free=of == "freeGas", budget=budget, cost=cost, now=now)
        return _budget(of, found.again, fits=found.left >= cost, low=LOW * found.left < budget)

    async def _compute(self, now: datetime) -> Budget:
        """Say how machine time stands for those who have the least of it: what pays nothing, or what may pay."""
        limit, nobody = self.ports.configuration.free_compute[2], Address("")
        budgets = []
        for pays in (False, True):
            caps = ComputeCaps(strangers=limit, stake=1, pays=pays)
            left = await self.ports.agreements.compute_left(caps, nobody, None, now)
            if left is not None:
                budgets.append(_budget("freeCompute", left.again, fits=left.left > 0, low=LOW * left.left < left.limit))
        enough = Budget(of="freeCompute", stands="enough")
        return max(budgets, key=lambda budget: _WORDS.index(budget.stands), default=enough)


def _budget(of: BudgetKind, again: datetime | None, *, fits: bool, low: bool) -> Budget:
    if fits and not low:
        return Budget(of=of, stands="enough")
    step = f"raise {_SETTINGS[of]}, or wait: it counts the last 24 hours"
    if fits:
        return Budget(of=of, stands="low", next_step=step)
    return Budget(of=of, stands="usedUp", until=_full_hour(again) if again is not None else None, next_step=step)


def _full_hour(moment: datetime) -> datetime:
    """Return the next full hour; a moment at one is that hour."""
    begun = moment.replace(minute=0, second=0, microsecond=0)
    return begun if begun == moment else begun + _HOUR
