"""The contract suite of the chain port runs over each adapter, on a real anvil."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.chain.anvil import AnvilProcess, free_port
from insitu.adapters.chain.client import EvmChain
from insitu.adapters.chain.deploy import DeploymentPlan, deploy
from insitu.adapters.chain.deployments import Deployments
from insitu.adapters.chain.rpc import JsonRpc
from insitu.adapters.keys.dev import dev_signer
from tests.doubles.chain import running_chain
from tests.ports.chain.parties import Parties, make_parties


@pytest.fixture(scope="module", params=["embedded", "json-rpc"])
async def parties(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parties]:
    folder = tmp_path_factory.mktemp("chain")
    if request.param == "embedded":
        async with running_chain(folder) as chain:
            yield await make_parties(chain, chain.url)
        return
    process = AnvilProcess(free_port(), folder / "anvil.log")
    await process.start()
    evm = await deployed(process.url, folder)
    yield await make_parties(evm, process.url)
    await evm.close()
    await process.stop()


async def deployed(url: str, folder: Path) -> EvmChain:
    """What an operator does on an existing chain: deploy, then connect with the deployments file."""
    async with JsonRpc(url) as rpc:
        found = await deploy(rpc, dev_signer("deployer"), folder / "journal.json", DeploymentPlan(), lambda _: None)
    found.write(folder / "deployments.json")
    return EvmChain(url, Deployments.read(folder / "deployments.json"))
