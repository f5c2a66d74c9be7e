"""How the parts of the marketplace are: the catalogue, and the gateways at which people sign in."""

import time
from dataclasses import dataclass, field

import anyio

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


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What a gateway says about itself; ``info`` is None if it does not answer, and ``block`` if it does not say it."""

    origin: str
    info: GatewayInfo | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the status page shows; ``catalogue`` is None if it does not answer.

    ``newest`` is the newest block that a gateway knows, ``behind`` by how many the catalogue has to read.
    """

    catalogue: MetadataHealth | None
    gateways: tuple[GatewayStatus, ...]

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
    def is_late(self) -> bool:
        """Whether the catalogue is further behind than confirmations explain."""
        return self.behind is not None and self.behind > SLACK

    @property
    def is_well(self) -> bool:
        """Whether everything answers and keeps up."""
        return self.catalogue is not None and not self.is_late and all(gateway.info for gateway in self.gateways)


@dataclass(slots=True)
class _Answers:
    catalogue: MetadataHealth | None = None
    gateways: dict[str, GatewayStatus] = field(default_factory=dict)


class StatusReader:
    """Asks all parts at once. Who has not answered by the deadline counts as away."""

    def __init__(self, site: Site, catalogue: Catalogue, gateways: Gateways, deadline: float = DEADLINE) -> None:
        self._site = site
        self._catalogue = catalogue
        self._gateways = gateways
        self._deadline = deadline
        self._lock = anyio.Lock()
        self._known: tuple[float, StatusView] | None = None

    async def read(self) -> StatusView:
        """Return how the parts are, or were a few seconds ago."""
        async with self._lock:
            now = time.monotonic()
            if self._known is None or now - self._known[0] > FRESH:
                self._known = (now, await self._ask())
            return self._known[1]

    async def _ask(self) -> StatusView:
        answers = _Answers()
        with anyio.move_on_after(self._deadline):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._ask_catalogue, answers)
                for origin in self._site.gateways:
                    tasks.start_soon(self._ask_gateway, origin, answers)
        known = answers.gateways
        gateways = tuple(known.get(origin, GatewayStatus(origin)) for origin in self._site.gateways)
        return StatusView(answers.catalogue, gateways)

    async def _ask_catalogue(self, answers: _Answers) -> None:
        try:
            answers.catalogue = await self._catalogue.health()
        except InsituError:
            answers.catalogue = None

    async def _ask_gateway(self, origin: str, answers: _Answers) -> None:
        try:
            info = await self._gateways.info(origin)
            answers.gateways[origin] = GatewayStatus(origin, info)
            answers.gateways[origin] = GatewayStatus(origin, info, await self._gateways.block(origin))
        except InsituError:
            return
