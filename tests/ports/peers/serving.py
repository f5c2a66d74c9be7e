"""A real HTTP server for the length of a test, and a client whose connections can be cut."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import uvicorn
from fastapi import FastAPI
from typing_extensions import override


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve on a free port; the url."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, ws="none")
        )

        async def serve() -> None:
            with anyio.CancelScope(shield=True):
                await server._serve([listening])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            server.should_exit = True


class Cutting(httpx.AsyncBaseTransport):
    """Cuts each of the first ``cuts`` answers after so many bytes."""

    def __init__(self, cuts: int = 0, after: int = 4) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.cuts = cuts
        self._after = after
        self.requests = 0

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        response = await self._inner.handle_async_request(request)
        if self.cuts <= 0 or "octet-stream" not in response.headers.get("content-type", ""):
            return response
        self.cuts -= 1
        return httpx.Response(response.status_code, headers=response.headers, stream=_Cut(response, self._after))

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


class _Cut(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, after: int) -> None:
        self._response = response
        self._left = after

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_raw():
            yield chunk[: self._left]
            self._left -= len(chunk)
            if self._left <= 0:
                raise httpx.ReadError("cut")

    @override
    async def aclose(self) -> None:
        await self._response.aclose()
