"""One real provider for all clauses, and the people of the specification: PUBLISHERS, a CONSUMER, a stranger.

The tests read as the specification does. They see only what people see: the SDK, HTTP, and the chain.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from insitu import Client, Stage, connect_async
from insitu.sdk.agreements import Agreement
from insitu.sdk.execution import Execution
from insitu.sdk.publishing import Asset
from insitu.stack import open_images
from insitu.testing.provider import ProviderProcess, running_provider

PRICE, SERVER_PRICE = 10, 4
UPPER = "import sys, pathlib\nprint('hello', flush=True)\npathlib.Path('/mnt/output/out.txt').write_text('done')\n"
SERVER = {"server_id": "small", "price": str(SERVER_PRICE), "cpu": 0.5, "memory": 300_000_000, "disk": 50_000_000}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.needs("chain", "oci", "root"))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    """``insitu up`` as a process, with an image of this machine's Python and a word list to publish."""
    home = tmp_path_factory.mktemp("provider")
    not_yet = ProviderProcess(home)
    anyio.run(partial(open_images(not_yet.settings).build_from_host, [], "insitu/python", "3"))
    not_yet.data.mkdir()
    for name in ("words.txt", "more.txt"):
        (not_yet.data / name).write_text(f"{name}: one two three\n")
    with running_provider(home, gateway__servers=json.dumps([SERVER])) as running:
        yield running


@dataclass
class Market:
    """Everybody, and what they have published."""

    provider: ProviderProcess
    publisher: Client
    second_publisher: Client
    consumer: Client
    stranger: Client

    async def dataset(self, name: str = "words", **offer: Any) -> Asset:
        """The publisher's data set with a compute service; the same offer is the same asset."""
        file = str(self.provider.data / "words.txt")
        return await self.publisher.assets.publish_dataset(
            name, [file], **{"algorithms": "any", "price": PRICE, **offer}
        )

    async def algorithm(self, source: str = UPPER) -> Asset:
        """The consumer's algorithm."""
        return await self.consumer.assets.publish_algorithm("algorithm", {"run.py": source})

    async def workflow(self, source: str = UPPER, dataset: Asset | None = None, **stage: Any) -> Asset:
        """The consumer's workflow of one stage on the data set."""
        inputs = [(dataset or await self.dataset()).did]
        algorithm = await self.algorithm(source)
        return await self.consumer.assets.publish_workflow(
            "workflow", [Stage(algorithm=algorithm.did, inputs=inputs, **stage)]
        )

    async def buy(self, source: str = UPPER, **stage: Any) -> Agreement:
        """An agreement of the consumer on that workflow, granted."""
        return await self.consumer.agreements.buy((await self.workflow(source, **stage)).did)

    async def run(self, source: str = UPPER) -> tuple[Agreement, Execution]:
        """A finished execution."""
        agreement = await self.buy(source)
        execution = await self.consumer.compute.execute(agreement.id)
        await execution.wait(60)
        return agreement, execution


@pytest.fixture
async def market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Clients of all people, each with a key of its own."""
    async with AsyncExitStack() as clients:

        async def person(account: str) -> Client:
            return await clients.enter_async_context(
                await connect_async(provider.url, account=account, settings=provider.settings)
            )

        yield Market(
            provider,
            await person("owner"),
            await person("second-owner"),
            await person("consumer"),
            await person("second-consumer"),
        )
