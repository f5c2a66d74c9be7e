"""One chain for all tests of the SDK; each test has its own provider and people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from tests.doubles.chain import seen_from_now
from tests.gateway.world import RESULT
from tests.sdk.market import Market, market


@pytest.fixture(scope="session")
async def started_chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedChain]:
    started = await EmbeddedChain.start(tmp_path_factory.mktemp("chain"), dev_signer("deployer"))
    yield started
    await started.close()


@pytest.fixture
async def chain(started_chain: EmbeddedChain) -> EmbeddedChain:
    """The chain without what earlier tests did: each provider follows it from the beginning."""
    return await seen_from_now(started_chain)


@pytest.fixture
async def provider(chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[Market]:
    """A provider whose executions end well with the result 42."""
    async with market(chain, tmp_path) as made:
        made.world.operator.runtime.script.update(await made.world.output({"count.txt": RESULT}))
        yield made


@pytest.fixture(scope="session")
async def shared_provider(
    started_chain: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Market]:
    """A provider for tests that ignore what others have published."""
    async with market(await seen_from_now(started_chain), tmp_path_factory.mktemp("shared")) as made:
        yield made
