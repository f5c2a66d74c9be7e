"""One process that answers HTTP: ``insitu up`` (every actor) and ``insitu serve <actor>``."""

import asyncio
import importlib.util
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from insitu.domain.errors import InsituError
from insitu.stack.memory import allocate_from_few_arenas, give_back_what_is_freed
from insitu.stack.provider import Services, open_services
from insitu.stack.share import Neighbour, Share

if TYPE_CHECKING:
    import uvicorn
    from fastapi import APIRouter, FastAPI

    from insitu.api.app import Lifespan

DRAIN_SECONDS = 3
"""How long open requests, including streams, may continue after the process was asked to end."""


def _is_not_cut_off(record: logging.LogRecord) -> bool:
    """Leave out the traceback of a request that is cut off when the process ends; uvicorn logs how many there are."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


async def serve(share: Share, *, ready: Callable[[Services], None] | None = None) -> None:
    """Open the actors, answer HTTP, and work until cancelled or signalled.

    Parameters
    ----------
    ready
        Called once, when requests are answered.

    Raises ``AlreadyRunning``, ``PortTaken``, ``SettingsInvalid``, ``ExtraMissing`` without the provider extra.
    """
    _require_extra()
    allocate_from_few_arenas()
    neighbour = share.neighbour
    try:
        await _serve(share, ready)
    finally:
        if neighbour is not None:
            with anyio.CancelScope(shield=True):
                await neighbour.end()


async def _serve(share: Share, ready: Callable[[Services], None] | None) -> None:
    import uvicorn

    from insitu.stack.connections import ACCEPTED_AT_ONCE, Door, connection_type, raise_open_files, room_for_connections

    most = room_for_connections(raise_open_files(), share.settings.limits.connections)
    logging.getLogger("uvicorn.error").addFilter(_is_not_cut_off)
    # Answers tell callers about their own mistakes; a log line for each would let them fill our log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    opened = open_services(share.settings, share.actors, share.public_url, patience=share.patience)
    async with opened as services:
        app = _app(services, _lifespan(services, share.neighbour, ready))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            lifespan="on",
            http=connection_type(most),
            ws="none",
            backlog=ACCEPTED_AT_ONCE,
            proxy_headers=False,  # the settings say which proxies to trust, and insitu.api.clients reads their headers
        )
        await _until_cancelled(uvicorn.Server(config), Door(share.listening), share.neighbour)


async def _until_cancelled(server: "uvicorn.Server", door: socket.socket, neighbour: Neighbour | None) -> None:
    """Serve; when this task is cancelled or the neighbour ends, let the server shut down cleanly first."""
    async with anyio.create_task_group() as tasks:

        async def serving() -> None:
            with anyio.CancelScope(shield=True):
                await server.serve(sockets=[door])
            tasks.cancel_scope.cancel()

        tasks.start_soon(serving)
        try:
            await (anyio.sleep_forever() if neighbour is None else neighbour.ended())
        finally:
            server.should_exit = True


def _require_extra() -> None:
    if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("fastapi") is None:
        raise InsituError("ExtraMissing", "serving needs the provider extra: pip install './insitu-….whl[provider]'")


def _lifespan(services: Services, neighbour: Neighbour | None, ready: Callable[[Services], None] | None) -> "Lifespan":
    @asynccontextmanager
    async def lifespan(_: "FastAPI") -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_back_what_is_freed)
            tasks.start_soon(services.run)
            announcing = neighbour is None or await neighbour.ready()
            if announcing and ready is not None:
                ready(services)
            yield
            tasks.cancel_scope.cancel()

    return lifespan


def _app(services: Services, lifespan: "Lifespan") -> "FastAPI":
    """Mount the routes of this process. The operator has its own port and is never beside public routes."""
    from insitu import __version__
    from insitu.api.app import build_app
    from insitu.api.clients import Proxies

    limits, server = services.settings.limits, services.settings.server
    body_limits: dict[str, int] = {}
    routers: list[APIRouter] = []
    if services.metadata is not None:
        from insitu.metadata.routes import router as metadata_router

        routers.append(metadata_router(services.metadata))
    if services.gateway is not None:
        from insitu.gateway.bodies import body_limits as gateway_limits
        from insitu.gateway.routes import router as gateway_router
        from insitu.gateway.routes import ticket_router

        routers.append(gateway_router(services.gateway))
        # Tickets are used over HTTP by an operator elsewhere, or by the pods of a cluster.
        if services.operator is None or services.settings.operator.runtime == "kubernetes":
            routers.append(ticket_router(services.gateway.peer))
        body_limits |= gateway_limits(services.gateway.ports.configuration)
    pages = None
    if services.marketplace is not None:
        from insitu.marketplace.routes import page_of_failure
        from insitu.marketplace.routes import router as marketplace_router

        routers.append(marketplace_router(services.marketplace))
        pages = page_of_failure(services.marketplace)
    public = bool(routers)
    if services.operator is not None and not public:
        from insitu.operator.bodies import BODY_LIMITS
        from insitu.operator.routes import router as operator_router

        routers.append(operator_router(services.operator, services.service_key))
        body_limits |= BODY_LIMITS
    return build_app(
        "insitu",
        __version__,
        routers,
        max_body_bytes=limits.body_bytes,
        body_limits=body_limits,
        proxies=Proxies(server.proxies, server.proxy_header),
        lifespan=lifespan,
        public=public,
        pages=pages,
    )
