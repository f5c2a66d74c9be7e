"""One chain for all tests of the gateway. Each test has its own people, so it only sees its own agreements."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.keys.dev import dev_signer
from tests.doubles.chain import seen_from_now
from tests.gateway.world import RESULT, World, world


@pytest.fixture(scope="session")
async def started_chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedChain]:
    started = await EmbeddedChain.start(tmp_path_factory.mktemp("chain"), dev_signer("deployer"))
    yield started
    await started.close()


@pytest.fixture
async def chain(started_chain: EmbeddedChain) -> EmbeddedChain:
    """The chain without what earlier tests did on it, because each provider follows it from the start."""
    return await seen_from_now(started_chain)


@pytest.fixture
async def provider(chain: EmbeddedChain, tmp_path: Path) -> AsyncIterator[World]:
    """A provider whose executions succeed with the result 42."""
    async with world(chain, tmp_path) as made:
        made.operator.runtime.script.update(await made.output({"count.txt": RESULT}))
        yield made
