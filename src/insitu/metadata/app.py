"""The METADATA-API as a server of its own (`insitu serve metadata`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI

from insitu import __version__
from insitu.api.app import build_app
from insitu.metadata.routes import router
from insitu.metadata.service import MetadataService

__all__ = ["metadata_app"]


def metadata_app(service: MetadataService, *, max_body_bytes: int) -> FastAPI:
    """Build the application; while it serves, the service follows the chain."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.run)
            yield
            tasks.cancel_scope.cancel()

    return build_app(
        "insitu metadata", __version__, [router(service)], max_body_bytes=max_body_bytes, lifespan=lifespan
    )
