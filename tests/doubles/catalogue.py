"""A catalogue in memory, which also may be slow, away, or lie."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from insitu.api.budgets_v1 import Budget, Budgets
from insitu.api.gateway_v1 import GatewayInfo
from insitu.api.metadata_v1 import (
    DDO,
    AssetFacets,
    AssetStatus,
    AssetSummaries,
    AssetSummary,
    AssetVersions,
    CuratedAsset,
    CuratedPage,
    CuratedRequest,
    MetadataHealth,
    SearchFilters,
    SearchPage,
    SearchRequest,
)
from insitu.domain.amount import Amount
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.domain.ids import read_address
from insitu.ports.chain import TokenInfo

MOMENT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
ACCOUNT = read_address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
CATALOGUE = "http://catalogue.test"
GATEWAY = "http://gateway.test"
TOKEN = TokenInfo(address=ACCOUNT, name="Nevermined", symbol="NVM", decimals=18)


def did(number: int) -> str:
    return f"did:nv:{number:064x}"


def summary(number: int, **changed: Any) -> AssetSummary:
    """What a list shows of an asset."""
    values: dict[str, Any] = {
        "did": did(number),
        "state": "listed",
        "checksum": f"{number:064x}",
        "owner": ACCOUNT,
        "version": 1,
        "updated_at": MOMENT,
        "created_at": MOMENT,
        "name": f"Data set {number}",
        "type": "dataset",
        "author": "An office",
        "license": "CC0",
        "price": Amount.from_base_units(number * 10**18),
        "tags": ("test",),
    }
    return AssetSummary(**{**values, **changed})


class CatalogueDouble:
    """Implements ``CataloguePeer``. ``documents`` and ``known`` are what it has, by DID."""

    def __init__(self) -> None:
        self.documents: dict[str, JsonObject] = {}
        self.known: dict[str, AssetSummary] = {}
        self.delay = 0.0
        self.error: InsituError | None = None
        self.asked: list[object] = []
        self.block, self.pending = 214, 0
        self.oldest_pending: datetime | None = None
        self.history: dict[str, AssetVersions] = {}
        self.by_checksum: dict[str, JsonObject] = {}
        self.counted = AssetFacets()
        self.pages = 1
        self.curated_assets: dict[str, list[CuratedAsset]] = {"hidden": [], "featured": []}

    def add(self, asset: AssetSummary, document: JsonObject | None = None) -> None:
        self.known[asset.did] = asset
        self.documents[asset.did] = document or {"id": asset.did}

    async def search(self, request: SearchRequest) -> SearchPage:
        await self._answer(request)
        found = tuple(self.documents.values())[: request.offset]
        return SearchPage(results=found, page=1, total_pages=self.pages, total_results=len(self.documents))

    async def facets(self, request: SearchFilters) -> AssetFacets:
        await self._answer(request)
        return self.counted

    async def summaries(self, dids: Sequence[str]) -> AssetSummaries:
        await self._answer(dids)
        found = tuple(self.known[did] for did in dids if did in self.known)
        return AssetSummaries(summaries=found)

    async def read(self, url: str, checksum: str | None = None) -> JsonObject:
        await self._answer(url)
        did = url.removeprefix(CATALOGUE + DDO + "/")
        if did not in self.documents or (checksum not in (None, self.known[did].checksum, *self.by_checksum)):
            raise InsituError("AssetNotFound", f"{did} is not known here", did=did)
        return self.by_checksum.get(checksum or "", self.documents[did])

    async def status(self, did: str, *, checksum: str | None = None) -> AssetStatus:
        await self._answer(did)
        if did not in self.known:
            raise InsituError("AssetNotFound", f"{did} is not known here", did=did)
        return self.known[did]

    async def versions(self, did: str) -> AssetVersions:
        await self._answer(did)
        return self.history.get(did, AssetVersions())

    async def curated(self, request: CuratedRequest) -> CuratedPage:
        await self._answer(request)
        found = tuple(self.curated_assets[request.what])
        return CuratedPage(curators=(ACCOUNT,), results=found, page=1, total_pages=1, total_results=len(found))

    async def health(self) -> MetadataHealth:
        await self._answer("health")
        return MetadataHealth(
            version="0",
            chain_id=31337,
            registry=ACCOUNT,
            url=CATALOGUE + DDO + "/{did}",
            block=self.block,
            pending=self.pending,
            oldest_pending=self.oldest_pending,
            pending_lifetime=3600,
        )

    async def _answer(self, asked: object) -> None:
        self.asked.append(asked)
        if self.delay:
            await anyio.sleep(self.delay)
        if self.error is not None:
            raise self.error


class GatewaysDouble:
    """Implements ``Gateways``: every gateway answers the same, unless it is in ``silent``."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.slow: set[str] = set()
        self.newest = 214
        self.paused: tuple[str, ...] = ()
        self.budgets_of_all: tuple[Budget, ...] = ()

    async def info(self, origin: str) -> GatewayInfo:
        if origin in self.slow:
            await anyio.sleep(3600)
        self._require_answer(origin)
        return GatewayInfo(
            version="0",
            provider_address=ACCOUNT,
            public_url=origin,
            chain_id=31337,
            contracts={},
            metadata_url=CATALOGUE + DDO + "/{did}",
            paused=self.paused,
        )

    async def token(self, origin: str) -> TokenInfo:
        self._require_answer(origin)
        return TOKEN

    async def budgets(self, origin: str) -> Budgets:
        self._require_answer(origin)
        return Budgets(budgets=self.budgets_of_all)

    async def block(self, origin: str) -> int:
        self._require_answer(origin)
        return self.newest

    def _require_answer(self, origin: str) -> None:
        if origin in self.silent:
            raise InsituError("PeerUnavailable", f"{origin} does not answer", url=origin)
