"""The page of a run, and that of one's own account."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from insitu.marketplace.policy import Policy
from insitu.marketplace.routes.answers import answer
from insitu.marketplace.running import read_run
from insitu.marketplace.service import Marketplace


def add_routes(routes: APIRouter, marketplace: Marketplace) -> None:
    """Add ``/run`` and ``/account``."""

    @routes.get("/run")
    async def show_run(
        request: Request, on: Annotated[tuple[str, ...], Query()] = (), workflow: str | None = None
    ) -> Response:
        run = await read_run(marketplace.catalogue, tuple(dict.fromkeys(on)), workflow)
        policy = Policy(connect=run.reachable)
        return answer(await marketplace.page("run", here=request.url.path, policy=policy, run=run))

    @routes.get("/account")
    async def show_account(request: Request) -> Response:
        return answer(await marketplace.page("own_account", here=request.url.path))
