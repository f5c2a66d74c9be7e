"""A catalogue over a real chain, spoken to over HTTP without a socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from insitu.adapters.catalog.sqlite import SqliteCatalog
from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.clock import SystemClock
from insitu.adapters.keys.dev import dev_signer
from insitu.api.app import build_app
from insitu.metadata.pools import PendingLimits
from insitu.metadata.routes import router
from insitu.metadata.service import MetadataService
from tests.doubles.chain import running_chain
from tests.metadata.documents import CATALOGUE


@pytest.fixture(scope="session")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedChain]:
    async with running_chain(tmp_path_factory.mktemp("chain")) as running:
        yield running


class Catalogue:
    """A running service; ``restart`` ends it and starts another one with the same file."""

    def __init__(self, chain: EmbeddedChain, path: Path, **options: Any) -> None:
        self._chain = chain
        self._path = path
        self._url = options.pop("public_url", CATALOGUE)
        self._options = {
            "clock": SystemClock(),
            "confirmations": 0,
            "pending_lifetime": 3600,
            "page_size": 100,
            "limits": PendingLimits(gateways=(dev_signer("provider").address,)),
        } | options
        self._stack = AsyncExitStack()
        self.service: MetadataService
        self.http: httpx.AsyncClient

    async def start(self) -> None:
        catalog = SqliteCatalog(self._path)
        self._stack.push_async_callback(catalog.close)
        self.service = MetadataService(catalog=catalog, chain=self._chain, public_url=self._url, **self._options)
        app = build_app("metadata of a test", "0", [router(self.service)], max_body_bytes=1024 * 1024)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=self._url)
        await self._stack.enter_async_context(self.http)
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(self.service.run)

    async def stop(self) -> None:
        await self._stack.aclose()

    async def restart(self) -> None:
        await self.stop()
        self._stack = AsyncExitStack()
        await self.start()


@pytest.fixture
async def make_catalogue(chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[Callable[..., Catalogue]]:
    async with AsyncExitStack() as stack:

        def make(name: str = "metadata.db", **options: Any) -> Catalogue:
            made = Catalogue(chain, tmp_path / name, **options)
            stack.push_async_callback(made.stop)
            return made

        yield make


@pytest.fixture
async def catalogue(make_catalogue: Callable[..., Catalogue]) -> Catalogue:
    made = make_catalogue()
    await made.start()
    return made


@pytest.fixture
def http(catalogue: Catalogue) -> httpx.AsyncClient:
    return catalogue.http
