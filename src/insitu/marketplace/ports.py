"""What pages read of others: one catalogue, and the gateways that the settings name."""

from collections.abc import Sequence
from typing import Protocol

from insitu.api.budgets_v1 import Budgets
from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import (
    AssetFacets,
    AssetStatus,
    AssetSummaries,
    AssetVersions,
    CuratedPage,
    CuratedRequest,
    MetadataHealth,
    SearchFilters,
    SearchPage,
    SearchRequest,
)
from insitu.domain.canonical import JsonObject
from insitu.ports.chain import TokenInfo


class CataloguePeer(Protocol):
    """A catalogue: the service of this process, or a client of one elsewhere."""

    async def search(self, request: SearchRequest) -> SearchPage:
        """Find listed assets."""
        ...

    async def facets(self, request: SearchFilters) -> AssetFacets:
        """Count what the assets have that a search finds."""
        ...

    async def summaries(self, dids: Sequence[str]) -> AssetSummaries:
        """Return what a list shows of at most 100 assets."""
        ...

    async def read(self, url: str, checksum: str | None = None) -> JsonObject:
        """Read the document at a URL of this catalogue. Raises ``AssetNotFound``."""
        ...

    async def status(self, did: str, *, checksum: str | None = None) -> AssetStatus:
        """Return where an asset, or a version of it, stands. Raises ``AssetNotFound``."""
        ...

    async def versions(self, did: str) -> AssetVersions:
        """Return the versions of an asset that the chain named, newest first."""
        ...

    async def curated(self, request: CuratedRequest) -> CuratedPage:
        """Return what curators hide or feature, and who they are."""
        ...

    async def health(self) -> MetadataHealth:
        """Return how far the catalogue has read the chain."""
        ...


class Gateways(Protocol):
    """The gateways of ``marketplace.gateways``, each named by its origin."""

    async def info(self, origin: str) -> GatewayInfo:
        """Return who a gateway is. Raises ``PeerUnavailable``."""
        ...

    async def token(self, origin: str) -> TokenInfo:
        """Return the token that its contracts pay with. Raises ``PeerUnavailable``."""
        ...

    async def budgets(self, origin: str) -> Budgets:
        """Return how its budgets for strangers stand. Raises ``PeerUnavailable``, ``ChainUnavailable``."""
        ...

    async def block(self, origin: str) -> int:
        """Return the newest block of its chain. Raises ``PeerUnavailable``, or ``ReadNotAllowed`` if it keeps that."""
        ...
