"""A chain on which nothing is deployed yet."""

from collections.abc import AsyncIterator

import pytest

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.rpc import JsonRpc


@pytest.fixture(scope="module")
async def anvil(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AnvilProcess]:
    process = AnvilProcess(free_port(), tmp_path_factory.mktemp("anvil") / "log")
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
async def rpc(anvil: AnvilProcess) -> AsyncIterator[JsonRpc]:
    """An empty chain for each test."""
    async with JsonRpc(anvil.url) as connected:
        await connected.call("anvil_reset")
        yield connected
