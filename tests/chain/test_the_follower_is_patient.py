"""The follower with nodes that lag, refuse, go away, change in mid-answer, or push nothing."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from typing_extensions import override

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.events import EventReader, event_topic
from insitu.adapters.chain.follower import Follower
from insitu.adapters.chain.heads import Heads
from insitu.adapters.chain.history import find_logs
from insitu.adapters.chain.refusals import NodeError
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.keys.dev import dev_signer
from insitu.domain.ledger import DidRegistered
from insitu.ports.chain import Block, Cursor
from tests.doubles.chain import register_did

pytestmark = [pytest.mark.needs("chain"), pytest.mark.anyio]

OWNER, PROVIDER = dev_signer("owner"), dev_signer("provider")


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[EvmChain]:
    process = AnvilProcess(free_port(), tmp_path / "log")
    await process.start()
    async with JsonRpc(process.url) as rpc:
        found = await deploy(rpc, dev_signer("deployer"), tmp_path / "journal", DeploymentPlan(), lambda _: None)
    connected = EvmChain(process.url, found)
    yield connected
    await connected.close()
    await process.stop()


def follower(
    chain: EvmChain, rpc: JsonRpc, after: Sequence[Cursor] = (), grace: float = 0
) -> AsyncGenerator[Block, None]:
    """A follower with another view of the chain that looks often."""
    heads = Heads("http://127.0.0.1:1", 0.01)
    events, start = EventReader(chain.deployments), chain.deployments.block - 1
    made = Follower(rpc, events, heads, start=start, grace=grace)

    async def closing() -> AsyncGenerator[Block, None]:
        async with aclosing(cast("AsyncGenerator[Block, None]", made.follow(after, 0))) as blocks:
            async for block in blocks:
                yield block
        await heads.close()

    return closing()


async def cursor(chain: EvmChain, height: int | str = "latest") -> Cursor:
    async with JsonRpc(chain._rpc.url) as rpc:
        found = await rpc.call("eth_getBlockByNumber", height if isinstance(height, str) else hex(height), False)
    return Cursor(int(found["number"], 16), found["hash"])


async def mine(chain: EvmChain, blocks: int) -> None:
    await chain._rpc.call("anvil_mine", hex(blocks))


class Lagging(JsonRpc):
    """A node that has not seen the newest blocks yet."""

    behind = 0

    @override
    async def call(self, method: str, *parameters: object) -> Any:
        if method != "eth_getBlockByNumber" or not self.behind:
            return await super().call(method, *parameters)
        newest = int(await super().call("eth_blockNumber"), 16) - self.behind
        if parameters[0] == "latest":
            return await super().call(method, hex(newest), False)
        return await super().call(method, *parameters) if int(str(parameters[0]), 16) <= newest else None


async def test_a_node_that_lags_a_moment_is_not_a_reorganisation(chain: EvmChain) -> None:
    await mine(chain, 5)
    position = await cursor(chain)
    async with Lagging(chain._rpc.url) as node, aclosing(follower(chain, node, [position], grace=60)) as blocks:
        node.behind = 3

        async def catch_up() -> None:
            await anyio.sleep(0.5)
            await mine(chain, 1)
            node.behind = 0

        async with anyio.create_task_group() as group:
            group.start_soon(catch_up)
            with anyio.fail_after(30):
                block = await anext(blocks)
    assert (block.cursor.number, block.rolled_back_to) == (position.number + 1, None)


async def test_a_chain_that_stays_shorter_is_a_reorganisation(chain: EvmChain) -> None:
    await mine(chain, 5)
    newest = await cursor(chain)
    known = [await cursor(chain, newest.number - i) for i in range(5)]
    async with Lagging(chain._rpc.url) as node, aclosing(follower(chain, node, known, grace=0.2)) as blocks:
        node.behind = 2
        with anyio.fail_after(30):
            block = await anext(blocks)
    assert block.rolled_back_to == block.cursor == known[2]
    assert not block.events


class Narrow(JsonRpc):
    """A node that answers for few blocks at a time, and shows no time in logs, as many do."""

    asked = 0

    @override
    async def call(self, method: str, *parameters: object) -> Any:
        if method != "eth_getLogs":
            return await super().call(method, *parameters)
        wanted = cast("dict[str, str]", parameters[0])
        if "fromBlock" in wanted and int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) >= 100:
            raise NodeError(method, "query exceeds max block range 100", b"")
        self.asked += 1
        logs = await super().call(method, *parameters)
        return [{name: value for name, value in log.items() if name != "blockTimestamp"} for log in logs]


async def test_a_node_that_answers_for_few_blocks_is_asked_for_few(chain: EvmChain) -> None:
    for _ in range(3):
        await register_did(chain, OWNER, PROVIDER.address)
        await mine(chain, 150)
    newest = await cursor(chain)
    async with JsonRpc(chain._rpc.url) as wide, Narrow(chain._rpc.url) as narrow:
        expected = await read(follower(chain, wide), newest.number)
        found = await read(follower(chain, narrow), newest.number)
        assert 4 < narrow.asked < 40
        topics = [event_topic("DIDRegistry", "DIDAttributeRegistered")]
        registry = chain.contract("DIDRegistry")
        # The newest are found first, and that is enough: the caller knows one by its id.
        assert await find_logs(narrow, registry, topics, 1)
        assert len(await find_logs(wide, registry, topics, 1)) == 3
    events = [(block.cursor, block.timestamp, block.events) for block in found if block.events]
    assert events == [(block.cursor, block.timestamp, block.events) for block in expected if block.events]
    assert len(events) == 3


async def read(blocks: AsyncGenerator[Block, None], height: int) -> list[Block]:
    found: list[Block] = []
    with anyio.fail_after(60):
        async with aclosing(blocks):
            async for block in blocks:
                found.append(block)
                if block.cursor.number >= height:
                    break
    return found


class Shifting(JsonRpc):
    """A node whose chain is reorganised just when its logs are asked for."""

    depth = 0

    @override
    async def call(self, method: str, *parameters: object) -> Any:
        if method == "eth_getLogs" and self.depth:
            depth, self.depth = self.depth, 0
            await super().call("anvil_reorg", depth, [])
        return await super().call(method, *parameters)


@pytest.mark.parametrize("blocks_above", [3, 40], ids=["block by block", "in stretches"])
async def test_a_reorganisation_in_the_middle_of_an_answer_leaves_no_false_event(
    chain: EvmChain, blocks_above: int
) -> None:
    kept = await register_did(chain, OWNER, PROVIDER.address)
    await mine(chain, blocks_above)
    await register_did(chain, OWNER, PROVIDER.address)
    newest = await cursor(chain)
    state: dict[int, Block] = {}
    async with Shifting(chain._rpc.url) as node:
        node.depth = 2
        async with aclosing(follower(chain, node)) as blocks:
            async for block in blocks:
                back = block.rolled_back_to
                if back is not None:
                    state = {height: one for height, one in state.items() if height <= back.number}
                state[block.cursor.number] = block
                if block.cursor == await cursor(chain):
                    break
    events = [logged.event for _, block in sorted(state.items()) for logged in block.events]
    assert [event.did for event in events if isinstance(event, DidRegistered)] == [str(kept)]
    assert newest != await cursor(chain)


async def test_a_node_that_goes_away_and_comes_back_is_followed_on(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.json"))
    process = AnvilProcess(free_port(), tmp_path / "log", state)
    await process.start()
    async with JsonRpc(process.url) as rpc:
        found = await deploy(rpc, dev_signer("deployer"), tmp_path / "journal", DeploymentPlan(), lambda _: None)
    chain = EvmChain(process.url, found)
    async with aclosing(cast("AsyncGenerator[Block, None]", chain.follow([await cursor(chain)]))) as blocks:
        first = await register_did(chain, OWNER, PROVIDER.address)
        assert registered(await anext(blocks)) == [str(first)]
        await process.stop()
        process = AnvilProcess(process.port, tmp_path / "log", state)
        async with anyio.create_task_group() as group:
            group.start_soon(process.start)
            with anyio.fail_after(60):
                while process.pid is None:  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.01)
        second = await register_did(chain, OWNER, PROVIDER.address)
        with anyio.fail_after(60):
            block = await anext(blocks)
    assert registered(block) == [str(second)]
    assert block.rolled_back_to is None
    await chain.close()
    await process.stop()


def registered(block: Block) -> list[str]:
    return [logged.event.did for logged in block.events if isinstance(logged.event, DidRegistered)]


async def test_pushed_heads_wake_before_it_is_time_to_look(chain: EvmChain) -> None:
    heads = Heads(chain._rpc.url, 3600)
    try:
        with anyio.fail_after(30):
            await heads.wait(heads.count)  # the subscription itself is a wake-up
            for _ in range(3):
                seen = heads.count
                await mine(chain, 1)
                await heads.wait(seen)
                assert heads.count > seen
    finally:
        await heads.close()


async def test_without_a_push_it_is_looked_again_and_again() -> None:
    heads = Heads(f"http://127.0.0.1:{free_port()}", 0.02)
    try:
        with anyio.fail_after(30):
            for _ in range(5):
                await heads.wait(heads.count)
    finally:
        await heads.close()
        await heads.close()
