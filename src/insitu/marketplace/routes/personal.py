"""Pages about what one account did. The server knows nothing about it: an element does everything after the sign-in."""

from fastapi import APIRouter, Request, Response

from insitu.domain.ids import read_agreement_id, read_execution_id
from insitu.marketplace.policy import BLOB, Policy
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.service import Marketplace


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/agreements``, ``/executions``, what is below them, ``/desk`` and ``/receipts``."""

    @routes.get("/desk")
    async def show_desk(request: Request) -> Response:
        return await _personal(marketplace, "desk", request)

    @routes.get("/agreements")
    async def show_agreements(request: Request) -> Response:
        return await _personal(marketplace, "agreements", request)

    @routes.get("/agreements/{agreement}")
    async def show_agreement(request: Request, agreement: str) -> Response:
        return await _personal(marketplace, "agreement", request, agreement=read_agreement_id(agreement))

    @routes.get("/executions")
    async def show_executions(request: Request) -> Response:
        return await _personal(marketplace, "executions", request)

    @routes.get("/executions/{agreement}/{execution}")
    async def show_execution(request: Request, agreement: str, execution: str) -> Response:
        ids = {"agreement": read_agreement_id(agreement), "execution": read_execution_id(execution)}
        return await _personal(marketplace, "execution", request, **ids)

    @routes.get("/receipts")
    async def show_receipts(request: Request) -> Response:
        # Not even this server: a receipt does not leave the browser.
        page = await marketplace.page("receipts", here=request.url.path, policy=Policy(is_offline=True))
        return answer(page)


async def _personal(marketplace: Marketplace, component: str, request: Request, **ids: str) -> Response:
    """Render a page whose element may call the gateways, and may show previews in frames that it makes itself."""
    site = marketplace.site
    frames = (BLOB,) if component == "execution" else ()
    policy = Policy(connect=(*site.gateways, site.catalogue), frames=frames)
    return answer(await marketplace.page(component, here=request.url.path, policy=policy, **ids))
