"""Publishing: the choice, a page for each kind of asset, and the words of a document that is being written."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import JSONResponse

from insitu.domain.errors import InsituError
from insitu.marketplace.policy import Policy
from insitu.marketplace.previews import preview_of
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.service import Marketplace

Document = Annotated[dict[str, Any], Body()]
KINDS = ("data", "algorithm", "workflow")


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/publish``, ``/publish/{kind}``, and ``/publish/preview``, which keeps nothing of what is posted."""
    site = marketplace.site

    @routes.get("/publish")
    async def show_choice(request: Request) -> Response:
        return answer(await marketplace.page("publish", here=request.url.path))

    @routes.get("/publish/{kind}")
    async def show_form(request: Request, kind: str) -> Response:
        if kind not in KINDS:
            raise InsituError("NotFound", f"nothing is published as {kind[:40]!r}")
        policy = Policy(connect=(*site.gateways, site.catalogue))
        return answer(await marketplace.page("publication", here=request.url.path, policy=policy, kind=kind))

    @routes.post("/publish/preview")
    async def show_words(document: Document) -> Response:
        said = await preview_of(marketplace.catalogue, document, (await marketplace.facts()).token)
        return JSONResponse(said, headers={"Cache-Control": "no-store"})
