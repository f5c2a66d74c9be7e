"""The marketplace of a process: what the settings say, the catalogue, and the gateways, here or elsewhere."""

import importlib.util
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.stack.peers import ACTORS, Actor

if TYPE_CHECKING:
    from insitu.api.budgets_v1 import Budgets
    from insitu.api.gateway_v1 import GatewayInfo
    from insitu.gateway.service import GatewayService
    from insitu.marketplace.service import Marketplace
    from insitu.ports.chain import TokenInfo
    from insitu.sdk.http import Http
    from insitu.stack.provider import Services

DEVELOPMENT_ROLES = ("consumer", "second-consumer", "owner", "second-owner", "provider", "stranger")
"""The accounts of the embedded chain that a page may offer."""
SILENCE = 5.0
"""Seconds without a byte after which a neighbour counts as away."""


def installed_actors() -> tuple[Actor, ...]:
    """Return the actors that one machine can run: all, or all but the marketplace if its extra is not installed."""
    installed = importlib.util.find_spec("jinja2") is not None and importlib.util.find_spec("nh3") is not None
    return tuple(actor for actor in ACTORS if installed or actor != "marketplace")


def open_marketplace(services: "Services", catalogue: str, stack: AsyncExitStack) -> "Marketplace":
    """Build the marketplace of this process. ``catalogue`` is the address of the catalogue as everybody calls it.

    Raises ``SettingsInvalid`` if the catalogue runs elsewhere and nothing says where, ``ExtraMissing``.
    """
    try:
        from insitu.marketplace.rendering import Renderer
    except ImportError:
        detail = "pages need the marketplace extra: pip install './insitu-….whl[marketplace]'"
        raise InsituError("ExtraMissing", detail) from None
    from insitu import __version__
    from insitu.adapters.keys.dev import dev_keys
    from insitu.marketplace.catalogue import Catalogue
    from insitu.marketplace.policy import origins
    from insitu.marketplace.service import Marketplace
    from insitu.marketplace.site import Site
    from insitu.marketplace.static_files import StaticFiles
    from insitu.marketplace.theme import Theme, read_theme
    from insitu.sdk.http import Http
    from insitu.sdk.metadata import MetadataClient

    settings = services.settings
    if services.metadata is None and settings.metadata.url is None:
        raise InsituError("SettingsInvalid", "the metadata runs in another process: set metadata.url to its address")
    http = Http(timeout=SILENCE)
    stack.push_async_callback(http.close)
    named = settings.marketplace.gateways
    own = services.public_url if services.gateway is not None else None if named else settings.gateway.url
    here = services.gateway is not None and is_loopback(urlsplit(services.public_url).hostname or "")
    folder = settings.marketplace.theme
    theme, logo = read_theme(folder) if folder is not None else (Theme(), None)
    site = Site(
        name=theme.name or settings.marketplace.name,
        origin=services.public_url,
        catalogue=catalogue,
        gateways=origins([*([own] if own is not None else []), *named]),
        development=here and settings.chain.embedded,
        version=__version__,
        texts=theme.texts,
    )
    peer = services.metadata or MetadataClient(http, catalogue)
    return Marketplace(
        site=site,
        catalogue=Catalogue(peer, catalogue),
        gateways=_Gateways(services, http),
        renderer=Renderer(
            site, StaticFiles(extra_style=theme.style(), logo=(theme.logo or "", logo) if logo else None)
        ),
        development_keys=dev_keys(DEVELOPMENT_ROLES) if site.development else None,
    )


class _Gateways:
    """Implements :class:`insitu.marketplace.ports.Gateways`: the gateway here as an object, others over HTTP.

    Where processes share their public address, the gateway behind it is called at ``gateway.url``.
    """

    def __init__(self, services: "Services", http: "Http") -> None:
        from insitu.marketplace.policy import origins

        self._services = services
        self._http = http
        self._shared = origins([services.public_url])

    async def info(self, origin: str) -> "GatewayInfo":
        from insitu.api.gateway_v1 import BASE, GatewayInfo

        if (here := self._here(origin)) is not None:
            return await here.info()
        return await self._http.model(GatewayInfo, "GET", self._address(origin) + BASE)

    async def token(self, origin: str) -> "TokenInfo":
        from insitu.api.chain_v1 import ChainFacts
        from insitu.api.gateway_v1 import BASE

        if (here := self._here(origin)) is not None:
            return await here.ports.chain.token()
        return (await self._http.model(ChainFacts, "GET", f"{self._address(origin)}{BASE}/chain")).token

    async def budgets(self, origin: str) -> "Budgets":
        from insitu.api.budgets_v1 import Budgets
        from insitu.api.gateway_v1 import BASE

        if (here := self._here(origin)) is not None:
            return await here.budget_reader.read()
        return await self._http.model(Budgets, "GET", f"{self._address(origin)}{BASE}/budgets")

    async def block(self, origin: str) -> int:
        if (here := self._here(origin)) is not None:
            answer = await here.ports.chain.read("eth_blockNumber", ())
        else:
            from insitu.api.gateway_v1 import RPC

            request = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
            answer = await self._http.call("POST", self._address(origin) + RPC, json=request, idempotent=True)
        try:
            return int(str(answer["result"]), 16)
        except (KeyError, TypeError, ValueError):
            raise InsituError("PeerUnavailable", f"{origin} does not say the newest block") from None

    def _here(self, origin: str) -> "GatewayService | None":
        """Return the gateway of this process, if that is who has the origin."""
        return self._services.gateway if origin in self._shared else None

    def _address(self, origin: str) -> str:
        inside = self._services.settings.gateway.url
        return inside.rstrip("/") if inside is not None and origin in self._shared else origin
