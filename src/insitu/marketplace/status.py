"""How the parts of the marketplace are: the catalogue, and the gateways at which people sign in.

Everybody sees this, so it says what a visitor can find out anyway: no amounts, no addresses inside (ADRs 0166, 0175).
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import anyio

from insitu.api.budgets_v1 import Budget, BudgetKind
from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import MetadataHealth
from insitu.domain.errors import InsituError
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.ports import Gateways
from insitu.marketplace.site import Site

DEADLINE = 2.0
"""Seconds for all answers together."""
FRESH = 5.0
"""Seconds for which the answers are shown, so that visitors cannot make this process ask as often as they like."""
SLACK = 8
"""Blocks by which a catalogue may be behind that waits for some confirmations."""
PATIENCE = timedelta(minutes=10)
"""How long a part may be away or behind before somebody has to do something."""

Word = Literal["Good", "Behind", "Unreachable"]
BUDGETS: Mapping[BudgetKind, tuple[str, str]] = {
    "relayedGas": ("Gas for sending", "what new accounts sign is not sent: they send it themselves, or come later"),
    "freeGas": ("Gas for runs without a charge", "new accounts start no runs without a charge; priced runs go on"),
    "freeCompute": ("Computing without pay", "new accounts start nothing that may end without pay"),
}
"""What a budget is for, and what follows for visitors once it is used up."""
SILENT = f"no answer within {DEADLINE:g} seconds"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a part is: a word, since when it was seen so, and after which moment that is a problem; None while good."""

    word: Word = "Good"
    since: datetime | None = None
    problem: bool = False

    @property
    def deadline(self) -> datetime | None:
        """When it becomes a problem, or became one."""
        return self.since + PATIENCE if self.since is not None else None

    @property
    def sign(self) -> str:
        """Its sign in the stylesheet."""
        return "ok" if self.word == "Good" else "no" if self.problem or self.word == "Unreachable" else "wait"


GOOD = Standing()


@dataclass(frozen=True, slots=True)
class BudgetView:
    """How a budget of a gateway stands, and what follows for visitors."""

    name: str
    budget: Budget
    follows: str

    @property
    def word(self) -> str:
        """How it stands."""
        return {"enough": "Enough", "low": "Low", "usedUp": "Used up"}[self.budget.stands]

    @property
    def sign(self) -> str:
        """Its sign in the stylesheet."""
        return {"enough": "ok", "low": "wait", "usedUp": "no"}[self.budget.stands]


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What a gateway says about itself; ``info`` is None if it does not answer, and ``block`` if it does not say it.

    ``budgets`` are empty if it does not say how they stand, as earlier releases do not. ``why`` says what happened
    instead of an answer, without what only its operator should know.
    """

    origin: str
    info: GatewayInfo | None = None
    block: int | None = None
    why: str = SILENT
    standing: Standing = GOOD
    budgets: tuple[Budget, ...] = ()

    @property
    def budget_views(self) -> tuple[BudgetView, ...]:
        """Its budgets, with words for visitors."""
        return tuple(BudgetView(BUDGETS[budget.of][0], budget, BUDGETS[budget.of][1]) for budget in self.budgets)


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the status page shows; ``catalogue`` is None if it does not answer.

    ``reading`` is how the catalogue reads the chain, ``waiting`` how documents get on chain.
    """

    catalogue: MetadataHealth | None
    gateways: tuple[GatewayStatus, ...]
    reading: Standing = GOOD
    waiting: Standing = GOOD

    @property
    def newest(self) -> int | None:
        """The newest block that a gateway on the catalogue's chain knows."""
        return max((gateway.block for gateway in self.gateways if gateway.block is not None), default=None)

    @property
    def behind(self) -> int | None:
        """How many blocks the catalogue has to read; None if one of both is unknown."""
        if self.catalogue is None or self.catalogue.block is None or self.newest is None:
            return None
        return max(self.newest - self.catalogue.block, 0)

    @property
    def is_well(self) -> bool:
        """Whether everything answers, keeps up and has something left of its budgets."""
        parts = (self.reading, self.waiting, *(gateway.standing for gateway in self.gateways))
        budgets = (budget for gateway in self.gateways for budget in gateway.budgets)
        return all(part.word == "Good" for part in parts) and all(budget.stands != "usedUp" for budget in budgets)


@dataclass(slots=True)
class _Answers:
    catalogue: MetadataHealth | None = None
    gateways: dict[str, GatewayStatus] = field(default_factory=dict)


class StatusReader:
    """Asks all parts at once. A part that has not answered by the deadline counts as away.

    It remembers since when a part is not good, as far as somebody has looked; ``now`` is the clock for that.
    """

    def __init__(
        self,
        site: Site,
        catalogue: Catalogue,
        gateways: Gateways,
        deadline: float = DEADLINE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._site = site
        self._catalogue = catalogue
        self._gateways = gateways
        self._deadline = deadline
        self._now = now
        self._lock = anyio.Lock()
        self._known: tuple[float, StatusView] | None = None
        self._since: dict[str, datetime] = {}

    async def read(self) -> StatusView:
        """Return how the parts are, or were a few seconds ago."""
        async with self._lock:
            asked = time.monotonic()
            if self._known is None or asked - self._known[0] > FRESH:
                self._known = (asked, await self._ask())
            return self._known[1]

    async def _ask(self) -> StatusView:
        answers = _Answers()
        with anyio.move_on_after(self._deadline):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._ask_catalogue, answers)
                for origin in self._site.gateways:
                    tasks.start_soon(self._ask_gateway, origin, answers)
        return self._judge(answers)

    def _judge(self, answers: _Answers) -> StatusView:
        found = []
        for origin in self._site.gateways:
            seen = answers.gateways.get(origin, GatewayStatus(origin))
            standing = self._standing(origin, "Good" if seen.info else "Unreachable")
            found.append(replace(seen, standing=standing))
        health = answers.catalogue
        behind = StatusView(health, tuple(found)).behind
        reading: Word = "Good" if behind is None or behind <= SLACK else "Behind"
        if health is None:
            reading = "Unreachable"
        return StatusView(health, tuple(found), self._standing("reading", reading), self._waiting(health))

    def _waiting(self, health: MetadataHealth | None) -> Standing:
        oldest = health.oldest_pending if health is not None else None
        if oldest is None or self._now() - oldest < PATIENCE:
            return GOOD
        return Standing("Behind", oldest, problem=True)

    def _standing(self, part: str, word: Word) -> Standing:
        """Return how a part is, and remember since when."""
        if word == "Good":
            self._since.pop(part, None)
            return GOOD
        since = self._since.setdefault(part, self._now())
        return Standing(word, since, problem=self._now() - since >= PATIENCE)

    async def _ask_catalogue(self, answers: _Answers) -> None:
        try:
            answers.catalogue = await self._catalogue.health()
        except InsituError:
            answers.catalogue = None

    async def _ask_gateway(self, origin: str, answers: _Answers) -> None:
        try:
            seen = answers.gateways[origin] = GatewayStatus(origin, await self._gateways.info(origin))
        except InsituError as error:
            # Its detail may name addresses inside; the code says what kind of failure it is.
            answers.gateways[origin] = GatewayStatus(origin, why=f"it cannot be asked ({error.code})")
            return
        with contextlib.suppress(InsituError):
            seen = answers.gateways[origin] = replace(seen, block=await self._gateways.block(origin))
        with contextlib.suppress(InsituError):
            answers.gateways[origin] = replace(seen, budgets=(await self._gateways.budgets(origin)).budgets)
