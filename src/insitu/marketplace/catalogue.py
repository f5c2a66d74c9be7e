"""The catalogue as pages read it: within a deadline, and believed only as far as it can be checked here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from insitu.api.metadata_v1 import (
    DDO,
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
from insitu.domain.did import Did
from insitu.domain.errors import InsituError
from insitu.marketplace.ports import CataloguePeer

DEADLINE = 5.0
"""Seconds for an answer of the catalogue; a person waits for the page meanwhile."""


class Catalogue:
    """Reads one catalogue. Every call raises ``PeerUnavailable`` if no answer comes within the deadline.

    Parameters
    ----------
    address
        As everybody calls it, without the path of its API.
    deadline
        Seconds.
    """

    def __init__(self, peer: CataloguePeer, address: str, deadline: float = DEADLINE) -> None:
        self._peer = peer
        self._address = address
        self._deadline = deadline

    async def search(self, request: SearchRequest) -> SearchPage:
        """Find listed assets."""
        async with self._within_deadline():
            return await self._peer.search(request)

    async def facets(self, request: SearchFilters) -> AssetFacets:
        """Count what the assets have that a search finds."""
        async with self._within_deadline():
            return await self._peer.facets(request)

    async def summaries(self, dids: Sequence[str]) -> AssetSummaries:
        """Return what a list shows of at most 100 assets."""
        async with self._within_deadline():
            return await self._peer.summaries(dids)

    async def document(self, did: str, checksum: str | None = None) -> JsonObject:
        """Return a document, or the version with an on-chain checksum. It is not verified against the chain.

        Raises ``AssetNotFound``, and ``ChecksumMismatch`` if the answer is the document of another DID.
        """
        wanted = str(Did.parse(did))
        async with self._within_deadline():
            document = await self._peer.read(f"{self._address}{DDO}/{wanted}", checksum)
        if document.get("id") != wanted:
            raise InsituError("ChecksumMismatch", f"the catalogue answers with another document than that of {wanted}")
        return document

    async def status(self, did: str, checksum: str | None = None) -> AssetStatus:
        """Return where an asset, or a version of it, stands. Raises ``AssetNotFound``."""
        async with self._within_deadline():
            return await self._peer.status(str(Did.parse(did)), checksum=checksum)

    async def versions(self, did: str) -> AssetVersions:
        """Return the versions of an asset that the chain named, newest first."""
        async with self._within_deadline():
            return await self._peer.versions(str(Did.parse(did)))

    async def curated(self, request: CuratedRequest) -> CuratedPage:
        """Return what curators hide or feature, and who they are."""
        async with self._within_deadline():
            return await self._peer.curated(request)

    async def health(self) -> MetadataHealth:
        """Return how far the catalogue has read the chain."""
        async with self._within_deadline():
            return await self._peer.health()

    @asynccontextmanager
    async def _within_deadline(self) -> AsyncIterator[None]:
        try:
            with anyio.fail_after(self._deadline):
                yield
        except TimeoutError:
            detail = f"the catalogue has not answered within {self._deadline:g} seconds"
            raise InsituError("PeerUnavailable", detail) from None
