"""The OPERATOR SERVICE and its engine as a server of their own (``insitu serve operator``)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import FastAPI

from insitu import __version__
from insitu.api.app import build_app
from insitu.api.operator_v1 import WORKFLOWS
from insitu.operator.engine import Engine
from insitu.operator.routes import router
from insitu.operator.service import OperatorService

__all__ = ["LARGEST_REGISTRATION", "operator_app"]

LARGEST_REGISTRATION = 32 * 1024 * 1024
"""Bytes: a plan names every file of every input."""


def operator_app(service: OperatorService, engine: Engine, *, service_key: str, max_body_bytes: int) -> FastAPI:
    """Build the application; while it serves, the engine works."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.run)
            yield
            tasks.cancel_scope.cancel()

    return build_app(
        "insitu operator",
        __version__,
        [router(service, service_key)],
        max_body_bytes=max_body_bytes,
        body_limits={WORKFLOWS: LARGEST_REGISTRATION},
        lifespan=lifespan,
    )
