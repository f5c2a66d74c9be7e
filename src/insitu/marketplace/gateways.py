"""What the gateways of the settings say about themselves, kept for some seconds; a page waits little for it."""

import contextlib
import time
from collections.abc import Collection, Mapping

import anyio

from insitu.api.gateway_v1 import GatewayInfo
from insitu.domain.errors import InsituError
from insitu.domain.image_contents import ImageContents
from insitu.marketplace.ports import Gateways

FRESH = 10.0
"""Seconds for which an answer is shown."""
SOON = 0.5
"""Seconds to wait for a gateway; a page is shown without it."""


class KnownGateways:
    """Reads gateways by their origins. ``trusted`` are those that are asked; one that only a document names is not."""

    def __init__(self, gateways: Gateways, trusted: Collection[str]) -> None:
        self._gateways = gateways
        self._trusted = trusted
        self._known: dict[str, tuple[float, GatewayInfo | None]] = {}

    async def contents(self, origin: str | None) -> Mapping[str, ImageContents]:
        """Return what the images of a gateway contain; nothing if it does not answer at once."""
        found = await self._info(origin) if origin in self._trusted else None
        return found.image_contents if found is not None else {}

    async def paused(self) -> frozenset[str]:
        """Return the DIDs of the data sets that their owners paused, as far as gateways answer at once."""
        found = [await self._info(origin) for origin in self._trusted]
        return frozenset(did for info in found if info is not None for did in info.paused)

    async def _info(self, origin: str | None) -> GatewayInfo | None:
        at, known = self._known.get(origin or "", (-FRESH, None))
        if time.monotonic() - at < FRESH:
            return known
        answer = None
        with anyio.move_on_after(SOON), contextlib.suppress(InsituError):
            answer = await self._gateways.info(origin or "")
        self._known[origin or ""] = (time.monotonic(), answer)
        return answer
