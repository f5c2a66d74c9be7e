"""One process that answers HTTP: ``insitu up`` (every actor) and ``insitu serve <actor>``."""

import importlib.util
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from insitu.domain.errors import InsituError
from insitu.settings import Settings
from insitu.stack.provider import ACTORS, Actor, Services, open_services

if TYPE_CHECKING:
    import uvicorn
    from fastapi import APIRouter, FastAPI

    from insitu.api.app import Lifespan

__all__ = ["serve"]

DRAIN_SECONDS = 3
"""How long open requests, streams among them, may go on after the process was asked to end."""


async def serve(
    settings: Settings,
    actors: frozenset[Actor] = frozenset(ACTORS),
    *,
    ready: Callable[[Services], None] | None = None,
) -> None:
    """Open the actors, answer HTTP, and work until cancelled or signalled.

    Parameters
    ----------
    ready
        Called once, when requests are answered.

    Raises
    ------
    InsituError
        ``AlreadyRunning`` where the port or the data folder is taken; ``SettingsInvalid``; ``ExtraMissing`` without
        the provider extra.
    """
    _require_extra()
    import uvicorn

    listening = _bind(settings)
    public_url = _public_url(settings, listening)
    async with open_services(settings, actors, public_url) as services:
        app = _app(services, _lifespan(services, ready))
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS, lifespan="on"
        )
        await _until_cancelled(uvicorn.Server(config), listening)


async def _until_cancelled(server: "uvicorn.Server", listening: socket.socket) -> None:
    """Serve; where this task is cancelled, let the server end in its own way first."""
    async with anyio.create_task_group() as tasks:

        async def serving() -> None:
            with anyio.CancelScope(shield=True):
                await server.serve(sockets=[listening])
            tasks.cancel_scope.cancel()

        tasks.start_soon(serving)
        try:
            await anyio.sleep_forever()
        finally:
            server.should_exit = True


def _require_extra() -> None:
    if importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("fastapi") is None:
        raise InsituError("ExtraMissing", "serving needs the provider extra: pip install 'insitu[provider]'")


def _bind(settings: Settings) -> socket.socket:
    """Take the port before anything else, so that two starts cannot both believe that it is theirs."""
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # From now on callers wait in the queue instead of being refused while the services start.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InsituError("AlreadyRunning", f"{host} port {port} cannot be used: {error.strerror}") from error
    return listening


def _public_url(settings: Settings, listening: socket.socket) -> str:
    if settings.server.public_url is not None or settings.server.port != 0:
        return settings.public_url
    host = settings.server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"


def _lifespan(services: Services, ready: Callable[[Services], None] | None) -> "Lifespan":
    @asynccontextmanager
    async def lifespan(_: "FastAPI") -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(services.run)
            if ready is not None:
                ready(services)
            yield
            tasks.cancel_scope.cancel()

    return lifespan


def _app(services: Services, lifespan: "Lifespan") -> "FastAPI":
    """Mount what this process may show. The operator has a port of its own: it is never beside public routes."""
    from insitu import __version__
    from insitu.api.app import build_app

    limits = services.settings.limits
    body_limits: dict[str, int] = {}
    routers: list[APIRouter] = []
    if services.metadata is not None:
        from insitu.metadata.routes import router as metadata_router

        routers.append(metadata_router(services.metadata))
    if services.gateway is not None:
        from insitu.gateway.app import body_limits as gateway_limits
        from insitu.gateway.routes import router as gateway_router
        from insitu.gateway.routes import ticket_router

        routers.append(gateway_router(services.gateway))
        # Who holds a ticket comes over HTTP: an operator elsewhere, or the pods of a cluster.
        if services.operator is None or services.settings.operator.runtime == "kubernetes":
            routers.append(ticket_router(services.gateway.peer))
        body_limits |= gateway_limits(services.gateway.configuration)
    if services.operator is not None and not routers:
        from insitu.api.operator_v1 import WORKFLOWS
        from insitu.operator.app import LARGEST_REGISTRATION
        from insitu.operator.routes import router as operator_router

        routers.append(operator_router(services.operator, services.service_key))
        body_limits[WORKFLOWS] = LARGEST_REGISTRATION
    return build_app(
        "insitu", __version__, routers, max_body_bytes=limits.body_bytes, body_limits=body_limits, lifespan=lifespan
    )
