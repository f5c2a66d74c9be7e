"""What everybody reads: the search, assets, and what accounts offer."""

from fastapi import APIRouter, Request, Response

from insitu.api.metadata_v1 import DDO
from insitu.domain.ids import read_address
from insitu.marketplace.assets import AssetReader
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.search import Search, Wanted, page_number
from insitu.marketplace.service import Marketplace
from insitu.marketplace.structured_data import structured_data


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/search``, ``/assets/{did}`` and ``/accounts/{address}``."""
    site = marketplace.site
    search = Search(marketplace.catalogue, marketplace.known)
    assets = AssetReader(marketplace.catalogue, marketplace.known)

    @routes.get("/search")
    async def show_search(request: Request) -> Response:
        token = (await marketplace.facts()).token
        found = await search.find(Wanted.read(request.query_params), token)
        return answer(await marketplace.page("search", here="/search", found=found))

    @routes.get("/assets/{did}")
    async def show_asset(request: Request, did: str) -> Response:
        token, checksum = (await marketplace.facts()).token, request.query_params.get("checksum")
        asset = await assets.read(did, token, checksum)
        document = f"{site.catalogue}{DDO}/{asset.described.did}"
        structured = structured_data(asset.described, f"{site.origin}/assets/{asset.described.did}")
        if not asset.current:
            document += f"?checksum={asset.checksum}"
        page = await marketplace.page("asset", here="/search", asset=asset, document=document, structured=structured)
        return answer(page)

    @routes.get("/accounts/{address}")
    async def show_account(request: Request, address: str) -> Response:
        account, token = read_address(address), (await marketplace.facts()).token
        offered = await search.of_account(account, token, page_number(request.query_params.get("page")))
        return answer(await marketplace.page("profile", here="/search", address=account, offered=offered))
