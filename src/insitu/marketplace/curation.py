"""What curators decided: the featured assets first on the home page, and a page on which everybody sees all of it."""

import logging
from dataclasses import dataclass, replace

from insitu.api.metadata_v1 import AssetStatus, CuratedAsset, CuratedPage, CuratedRequest
from insitu.at_once import both
from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.marketplace.cards import Card, card_of
from insitu.marketplace.catalogue import Catalogue
from insitu.ports.chain import TokenInfo

logger = logging.getLogger("insitu.marketplace")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of a curator. Only what strangers find has a ``card``; what is hidden is named by its DID alone."""

    asset: CuratedAsset
    card: Card | None


@dataclass(frozen=True, slots=True)
class CurationView:
    """What the page shows: who curates, what they feature and hide, and the asset that was asked for."""

    curators: tuple[Address, ...]
    featured: tuple[Decided, ...]
    hidden: CuratedPage
    asked: AssetStatus | None = None

    @property
    def likely(self) -> str:
        """The decision that is likely next about the asset that was asked for."""
        if self.asked is None or not (self.asked.reason or self.asked.featured):
            return "hide"
        return "unhide" if self.asked.reason else "unfeature"


class CurationReader:
    """Asks the catalogue what its curators decided."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def read(self, did: str | None, page: int, token: TokenInfo | None) -> CurationView:
        """Return a page of the decisions. Raises ``AssetNotFound`` for an unknown ``did``."""
        asked = await self._catalogue.status(did) if did else None
        featured, hidden = await both(
            self._catalogue.curated(CuratedRequest(what="featured")),
            self._catalogue.curated(CuratedRequest(what="hidden", page=page)),
        )
        return CurationView(hidden.curators, _decided(featured, token), hidden, asked)

    async def featured(self, token: TokenInfo | None) -> tuple[Card, ...]:
        """Return the featured assets that strangers find; none if the catalogue cannot say: other pages go on."""
        try:
            page = await self._catalogue.curated(CuratedRequest(what="featured"))
        except InsituError as error:
            logger.info("the catalogue does not say what it features: %s", error)
            return ()
        return tuple(decided.card for decided in _decided(page, token) if decided.card is not None)


def _decided(page: CuratedPage, token: TokenInfo | None) -> tuple[Decided, ...]:
    cards = [card_of(asset.document, token) for asset in page.results]
    return tuple(
        Decided(asset, replace(card, featured=asset.reason) if card is not None else None)
        for asset, card in zip(page.results, cards, strict=True)
    )
