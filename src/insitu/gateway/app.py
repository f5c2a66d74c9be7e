"""The gateway as a server of its own (`insitu serve gateway`)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI

from insitu.api.app import build_app
from insitu.api.gateway_v1 import BASE, TICKET_FINISH, TICKET_OUTPUTS
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.routes import router, ticket_router
from insitu.gateway.service import GatewayService

__all__ = ["body_limits", "gateway_app"]

MIB = 1024 * 1024
LARGEST_REPORT = 16 * MIB
LARGEST_OUTPUT = 2**50
"""The output of an execution is bounded by its plan, which the ticket names."""
LARGEST_LIST = 8 * MIB
"""A list of ten thousand files with their urls."""


def body_limits(configuration: GatewayConfiguration) -> Mapping[str, int]:
    """Return the limits of bodies that differ from the usual one, by the beginning of the path."""
    return {
        BASE + "/upload": configuration.upload_bytes + MIB,
        BASE + "/encrypt": LARGEST_LIST,
        TICKET_OUTPUTS: LARGEST_OUTPUT,
        TICKET_FINISH: LARGEST_REPORT,
    }


def gateway_app(service: GatewayService, *, max_body_bytes: int) -> FastAPI:
    """Build the application; while it serves, the gateway follows the chain and does what is due."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.run)
            yield
            tasks.cancel_scope.cancel()

    return build_app(
        "insitu gateway",
        service.configuration.version,
        [router(service), ticket_router(service.peer)],
        max_body_bytes=max_body_bytes,
        body_limits=body_limits(service.configuration),
        lifespan=lifespan,
    )
