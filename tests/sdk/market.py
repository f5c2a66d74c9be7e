"""A provider that answers real HTTP, and clients of its people."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import uvicorn

from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.api.app import build_app
from insitu.domain.amount import Amount
from insitu.gateway.bodies import body_limits
from insitu.gateway.routes import router, ticket_router
from insitu.metadata.routes import router as metadata_router
from insitu.sdk.client import Client
from insitu.sdk.http import Http
from tests.gateway.world import PUBLIC_URL, SMALL, World, world

CSV = "carrier,delay\nAA,3\nUA,-2\n"


class Detour(httpx.AsyncBaseTransport):
    """Reaches the provider at its real port, and lets a test read and change what passes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport()
        self.seen: list[httpx.Request] = []
        self.answered: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None
        self.failing: Callable[[httpx.Request], bool] = lambda request: False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.failing(request):
            raise httpx.ReadError("cut", request=request)
        url = request.url
        request.url = url.copy_with(port=self._port)
        response = await self._inner.handle_async_request(request)
        request.url = url
        if self.answered is None:
            return response
        await response.aread()
        return self.answered(request, response)

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass
class Market:
    """The provider, and what a test does to the connection between it and its clients."""

    world: World
    port: int
    stack: AsyncExitStack

    async def client(self, who: str) -> tuple[Client, Detour]:
        detour = Detour(self.port)
        http = await self.stack.enter_async_context(Http(transport=detour))
        chain = EvmChain(self.world.chain.url, self.world.chain.deployments)
        client = Client(chain, self.world.people[who], PUBLIC_URL, http=http)
        await self.stack.enter_async_context(client)
        return client, detour

    def data_file(self, name: str = "flights.csv", text: str = CSV) -> Path:
        path = self.world.folder / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    async def dataset(self, client: Client, name: str = "Flights", **options: Any) -> str:
        asset = await client.assets.publish_dataset(
            name, [self.data_file()], **{"algorithms": "any", "price": Amount.from_base_units(10), **options}
        )
        return asset.did


@asynccontextmanager
async def market(
    chain: EmbeddedChain, folder: Path, *, granting: bool = True, **configured: Any
) -> AsyncIterator[Market]:
    """Run everything; without ``granting`` the gateway answers requests, but sees nothing of the chain."""
    async with AsyncExitStack() as stack:
        offered = {"servers": (SMALL,)} | configured
        provider = await stack.enter_async_context(world(chain, folder, working=granting, **offered))
        app = build_app(
            "provider",
            "0",
            [metadata_router(provider.metadata), router(provider.gateway), ticket_router(provider.gateway.peer)],
            max_body_bytes=1024 * 1024,
            body_limits=body_limits(provider.configuration),
        )
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, ws="none")
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        if not granting:
            tasks.start_soon(provider.metadata.run)
            stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(_serve, server, listening)
        stack.callback(setattr, server, "should_exit", True)
        yield Market(provider, listening.getsockname()[1], stack)


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    with anyio.CancelScope(shield=True):
        await server._serve([listening])
