"""The home page."""

from fastapi import APIRouter, Request, Response

from insitu.marketplace.routes.answers import answer
from insitu.marketplace.service import Marketplace


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/``."""

    @routes.get("/")
    async def show_home(request: Request) -> Response:
        home = await marketplace.home()
        return answer(await marketplace.page("home", here=request.url.path, home=home))
