"""A real provider, the people of the specification around it, and their money: what clauses and journeys share.

The tests see only what people see: the SDK, HTTP, and the chain.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx

from insitu import Client, Stage, connect_async
from insitu.domain.amount import Amount
from insitu.domain.execution import Phase
from insitu.sdk.agreements import Agreement
from insitu.sdk.execution import Execution
from insitu.sdk.publishing import Asset
from insitu.stack.parts import open_images
from insitu.testing.provider import ProviderProcess, running_provider

PRICE, SERVER_PRICE = 10, 4
UPPER = "import sys, pathlib\nprint('hello', flush=True)\npathlib.Path('/mnt/output/out.txt').write_text('done')\n"
SERVER = {"server_id": "small", "price": str(SERVER_PRICE), "cpu": 0.5, "memory": 300_000_000, "disk": 50_000_000}

Balances = tuple[int, int, int, int]
"""What consumer, owner, gateway and escrow hold, in base units of the token."""

UNPAID = (0, 0, 0, 0)
PAID = (-PRICE - SERVER_PRICE, PRICE, SERVER_PRICE, 0)
"""How the balances of consumer, owner, gateway and escrow change when one agreement is settled."""
LOCKED = (-PRICE - SERVER_PRICE, 0, 0, PRICE + SERVER_PRICE)
"""… when it is bought."""
SETTLED = (0, PRICE, SERVER_PRICE, -PRICE - SERVER_PRICE)
"""… between these two moments."""


@contextmanager
def open_provider(home: Path, **flags: str) -> Iterator[ProviderProcess]:
    """``insitu up`` as a process, with an image of this machine's Python and word lists to publish."""
    not_yet = ProviderProcess(home)
    anyio.run(partial(open_images(not_yet.settings).build_from_host, [], "insitu/python", "3"))
    not_yet.data.mkdir()
    for name in ("words.txt", "more.txt"):
        (not_yet.data / name).write_text(f"{name}: one two three\n")
    with running_provider(home, gateway__servers=json.dumps([SERVER]), **flags) as running:
        yield running


@dataclass
class Market:
    """Everybody, and what they have published."""

    provider: ProviderProcess
    publisher: Client
    second_publisher: Client
    consumer: Client
    stranger: Client

    @property
    def contracts(self) -> dict[str, int | str]:
        """The contracts of the chain, as an account names them to the JavaScript SDK."""
        chain = self.consumer.chain
        named = {"registry": "DIDRegistry", "template": "ServiceExecutionTemplate"}
        return {"chainId": chain.agreements.chain_id, **{key: chain.contract(name) for key, name in named.items()}}

    async def dataset(self, name: str = "words", **offer: Any) -> Asset:
        """The publisher's data set with a compute service; the same offer is the same asset."""
        file = str(self.provider.data / "words.txt")
        return await self.publisher.assets.publish_dataset(
            name, [file], **{"algorithms": "any", "price": Amount.from_base_units(PRICE), **offer}
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

    async def run_stages(self, *stages: Stage) -> Execution:
        """A finished execution of a workflow of these stages."""
        workflow = await self.consumer.assets.publish_workflow("stages", stages)
        execution = await self.consumer.compute.run_workflow(workflow.did)
        await execution.wait(60)
        return execution

    async def files(self, execution: Execution) -> dict[str, str]:
        """The texts of a result by their paths, as the consumer downloads them."""
        seen = await execution.status()
        printed = "".join([piece.text async for piece in execution.logs(follow=False)])
        assert seen.phase is Phase.SUCCEEDED, (seen.reason, printed)
        folder = self.provider.home / "downloads" / execution.execution_id
        paths = await execution.download(folder)
        return {str(path.relative_to(folder)): path.read_text() for path in paths}

    async def newest_block(self) -> int:
        """The number of the newest block."""
        return int(await self.rpc("eth_blockNumber"), 16)

    async def rpc(self, method: str, *parameters: Any) -> Any:
        """Make a call that only a development chain answers."""
        deployments = json.loads(self.provider.settings.deployments.read_text())
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        async with httpx.AsyncClient() as node:
            answer = (await node.post(deployments["rpcUrl"], json=body)).json()
        assert "error" not in answer, answer
        return answer["result"]

    async def balances(self) -> Balances:
        """How much everybody holds now."""
        chain = self.consumer.chain
        gateway = (await self.consumer.gateway.info()).provider_address
        accounts = (self.consumer.account, self.publisher.account, gateway, chain.agreements.contract)
        consumer, owner, provider, escrow = [await chain.balance(account) for account in accounts]
        return consumer, owner, provider, escrow

    async def changes(self, before: Balances) -> tuple[int, ...]:
        """How the balances changed since ``before``."""
        return tuple(new - old for new, old in zip(await self.balances(), before, strict=True))


@asynccontextmanager
async def open_market(provider: ProviderProcess) -> AsyncIterator[Market]:
    """Clients of all people, each with its own key."""
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
