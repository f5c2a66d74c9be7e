"""What pages show, apart from how: the marketplace's decisions."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import anyio

from insitu.api.errors import Problem
from insitu.at_once import both
from insitu.domain.errors import InsituError
from insitu.marketplace.cards import Card
from insitu.marketplace.catalogue import Catalogue
from insitu.marketplace.curation import CurationReader
from insitu.marketplace.gateways import KnownGateways
from insitu.marketplace.policy import Policy, origins
from insitu.marketplace.ports import Gateways
from insitu.marketplace.rendering import Page, Renderer
from insitu.marketplace.search import Search
from insitu.marketplace.site import Site, SiteFacts
from insitu.marketplace.status import StatusReader

logger = logging.getLogger("insitu.marketplace")

FACTS_DEADLINE = 1.0
"""Seconds that a page waits for chain and token, which it can do without."""
ASK_AGAIN = 5.0
"""Seconds after which somebody who did not answer is asked again."""
NEWEST = 3


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the home page shows: the newest data sets, how many there are, and what curators feature."""

    newest: tuple[Card, ...]
    total: int
    featured: tuple[Card, ...] = ()


class Marketplace:
    """The MARKETPLACE of one catalogue."""

    def __init__(
        self,
        *,
        site: Site,
        catalogue: Catalogue,
        gateways: Gateways,
        renderer: Renderer,
        development_keys: Mapping[str, str] | None = None,
    ) -> None:
        """``development_keys``: name → key of the accounts that the page's development wallet has."""
        self.site = site
        self.catalogue = catalogue
        self.gateways = gateways
        self.known = KnownGateways(gateways, site.gateways)
        self.renderer = renderer
        self.status = StatusReader(site, catalogue, gateways)
        self.curation = CurationReader(catalogue)
        self.development_keys = development_keys or {}
        self._called = (*site.gateways, *origins([site.catalogue]))
        self._facts = SiteFacts()
        self._asked_at = -ASK_AGAIN

    async def page(
        self,
        component: str,
        *,
        here: str,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        **values: object,
    ) -> Page:
        """Render a page. ``here`` is the path that was asked for.

        Every page has an account in its head, which calls the gateways of the settings.
        """
        facts = await self.facts()
        policy = replace(policy, connect=(*policy.connect, *self._called))
        return self.renderer.page(component, values, facts=facts, here=here, policy=policy)

    def failure(self, problem: Problem, path: str) -> Page:
        """Render the page for an error, with what is known already: it must not fail as well."""
        values: Mapping[str, object] = {"problem": problem, "asked_for": path}
        return self.renderer.page("failure", values, facts=self._facts, here=path, status=problem.status)

    async def facts(self) -> SiteFacts:
        """Return chain and token, as far as somebody has answered; these never change."""
        known = self._facts
        if known.token is None and time.monotonic() - self._asked_at >= ASK_AGAIN:
            self._asked_at = time.monotonic()
            with anyio.move_on_after(FACTS_DEADLINE):
                await self._ask()
        return self._facts

    async def home(self) -> HomeView:
        """Return the newest data sets, and what is featured. Raises ``PeerUnavailable``."""
        token = (await self.facts()).token
        found = Search(self.catalogue, self.known).newest(token, NEWEST)
        newest, featured = await both(found, self.curation.featured(token))
        return HomeView(*newest, featured)

    async def _ask(self) -> None:
        for origin in self.site.gateways:
            try:
                info, token = await self.gateways.info(origin), await self.gateways.token(origin)
            except InsituError as error:
                logger.info("the gateway at %s does not say its token: %s", origin, error)
            else:
                self._facts = SiteFacts(chain_id=info.chain_id, token=token)
                return
        try:
            self._facts = SiteFacts(chain_id=(await self.catalogue.health()).chain_id)
        except InsituError as error:
            logger.info("the catalogue does not say its chain: %s", error)
