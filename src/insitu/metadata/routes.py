"""The METADATA-API's routes (P2): they translate HTTP and decide nothing."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response

from insitu.api import metadata_v1 as wire
from insitu.api.app import StrictRoute
from insitu.api.parameters import DidPath
from insitu.domain.canonical import sha256_hex
from insitu.domain.wire import WireModel
from insitu.metadata.service import MetadataService

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "public, no-cache"
"""A cache may keep it, and asks each time whether it is still the current one (304)."""

# FastAPI only parses the JSON. The document's own reader checks it and says where it is wrong.
Document = Annotated[Any, Body()]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key")]
Checksum = Annotated[str | None, Query(description="on-chain checksum of a version, 64 hexadecimal digits")]
WithoutCompute = Annotated[
    bool, Query(alias="withoutCompute", description="accept a data set that offers no compute service")
]


def router(service: MetadataService) -> APIRouter:
    """Return the routes of a service."""
    routes = APIRouter(route_class=StrictRoute, tags=["metadata"])
    _add_lists(routes, service)
    _add_overviews(routes, service)
    _add_documents(routes, service)
    return routes


def _add_lists(routes: APIRouter, service: MetadataService) -> None:
    @routes.get(wire.HEALTH)
    async def metadata_health() -> wire.MetadataHealth:
        return await service.health()

    @routes.get(wire.ASSETS)
    async def list_assets(
        after: Annotated[str, Query(max_length=80)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        owner: Annotated[str | None, Query(description="only theirs, in every state", max_length=100)] = None,
    ) -> wire.AssetIds:
        return await service.ids(after, limit, owner)

    @routes.post(wire.PUBLICATIONS)
    async def find_publication(request: wire.PublicationRequest) -> wire.AssetStatus:
        return await service.publication(request)

    @routes.get(wire.QUERY)
    async def search_assets_by_parameters(request: Annotated[wire.SearchRequest, Query()]) -> wire.SearchPage:
        return await service.search(request)

    @routes.post(wire.QUERY)
    async def search_assets(request: wire.SearchRequest) -> wire.SearchPage:
        return await service.search(request)


def _add_overviews(routes: APIRouter, service: MetadataService) -> None:
    @routes.get(wire.FACETS, response_model=wire.AssetFacets)
    async def count_facets_by_parameters(request: Annotated[wire.SearchFilters, Query()]) -> Response:
        return _revalidated(await service.facets(request))

    @routes.post(wire.FACETS)
    async def count_facets(request: wire.SearchFilters) -> wire.AssetFacets:
        return await service.facets(request)

    @routes.get(wire.SUMMARIES, response_model=wire.AssetSummaries)
    async def summarise_assets_by_parameters(request: Annotated[wire.SummariesRequest, Query()]) -> Response:
        return _revalidated(await service.summaries(request.dids))

    @routes.post(wire.SUMMARIES)
    async def summarise_assets(request: wire.SummariesRequest) -> wire.AssetSummaries:
        return await service.summaries(request.dids)

    @routes.get(wire.CURATED, response_model=wire.CuratedPage)
    async def list_curated_assets(request: Annotated[wire.CuratedRequest, Query()]) -> Response:
        return _revalidated(await service.curated(request))


def _revalidated(answer: WireModel) -> Response:
    content = answer.model_dump_json().encode()
    headers = {"ETag": f'"{sha256_hex(content)}"', "Cache-Control": REVALIDATED}
    return Response(content, media_type="application/json", headers=headers)


def _add_documents(routes: APIRouter, service: MetadataService) -> None:
    @routes.post(wire.DDO, status_code=201)
    async def publish_document(
        request: Request,
        document: Document,
        response: Response,
        idempotency_key: IdempotencyKey = None,
        without_compute: WithoutCompute = False,
    ) -> wire.AssetStatus:
        network = request.state.network
        status = await service.accept(document, key=idempotency_key, without_compute=without_compute, network=network)
        response.headers["Location"] = f"{wire.DDO}/{status.did}"
        return status

    @routes.get(wire.DDO + "/{did}", response_model=dict[str, Any])
    async def resolve_document(did: DidPath, checksum: Checksum = None) -> Response:
        found = await service.document(did, checksum)
        # A version never changes, but which one is current may change at any time.
        headers = {"ETag": f'"{found.checksum}"'} | (
            {"Cache-Control": IMMUTABLE if checksum and found.on_chain else REVALIDATED}
        )
        return Response(json.dumps(found.document, ensure_ascii=False), media_type="application/json", headers=headers)

    @routes.put(wire.DDO + "/{did}")
    async def update_document(
        request: Request, did: DidPath, document: Document, without_compute: WithoutCompute = False
    ) -> wire.AssetStatus:
        return await service.update(did, document, without_compute=without_compute, network=request.state.network)

    @routes.delete(wire.DDO + "/{did}")
    async def retire_asset(did: DidPath, request: wire.RetireRequest) -> wire.AssetStatus:
        return await service.retire(did, request)

    @routes.put(wire.DDO + "/{did}/listing")
    async def list_asset(did: DidPath, request: wire.ListingRequest) -> wire.AssetStatus:
        return await service.set_listed(did, request)

    @routes.put(wire.DDO + "/{did}/curation")
    async def curate_asset(did: DidPath, request: wire.CurationRequest) -> wire.AssetStatus:
        return await service.curate(did, request)

    @routes.get(wire.DDO + "/{did}/versions")
    async def list_versions(did: DidPath) -> wire.AssetVersions:
        return await service.versions(did)

    @routes.get(wire.DDO + "/{did}/status")
    async def show_status(
        did: DidPath, checksum: Checksum = None, wait: Annotated[float, Query(ge=0, le=wire.MAX_WAIT)] = 0
    ) -> wire.AssetStatus:
        return await service.status(did, checksum, wait)
