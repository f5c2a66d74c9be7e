"""Pages about the marketplace itself."""

from fastapi import APIRouter, Request, Response

from insitu.marketplace.routes.answers import answer
from insitu.marketplace.search import page_number
from insitu.marketplace.service import Marketplace


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/status``, ``/curation``, ``/security`` and ``/help``."""

    @routes.get("/status")
    async def show_status(request: Request) -> Response:
        status = await marketplace.status.read()
        return answer(await marketplace.page("status", here=request.url.path, status=status))

    @routes.get("/curation")
    async def show_curation(request: Request) -> Response:
        token, page = (await marketplace.facts()).token, page_number(request.query_params.get("page"))
        curation = await marketplace.curation.read(request.query_params.get("did"), page, token)
        return answer(await marketplace.page("curation", here=request.url.path, curation=curation))

    @routes.get("/security")
    async def show_security(request: Request) -> Response:
        return answer(await marketplace.page("security", here=request.url.path))

    @routes.get("/help")
    async def show_help(request: Request) -> Response:
        return answer(await marketplace.page("help", here=request.url.path))
