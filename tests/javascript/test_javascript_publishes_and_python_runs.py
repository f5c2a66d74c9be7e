"""JavaScript publishes a data set and an algorithm without coin, and Python runs them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import open_market, open_provider

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""The key of the development account that is called owner; it is public."""

PROGRAM = Path(__file__).parent / "programs" / "publishing.mjs"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProviderProcess]:
    with open_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


async def test_javascript_publishes_and_python_runs(provider: ProviderProcess, tmp_path: Path) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        chain, consumer = market.consumer.chain, market.consumer
        names = {"registry": "DIDRegistry", "template": "ServiceExecutionTemplate"}
        contracts = {"chainId": chain.agreements.chain_id, **{key: chain.contract(name) for key, name in names.items()}}
        info = await consumer.gateway.info()
        environment = {"supportedContainers": info.supported_containers, "supportedServers": info.supported_servers}
        offered = {"price": "10", "provider": {"type": "insitu", "environment": environment}}
        policy = {"version": 1, "algorithms": "any", "maxExecutions": 3, "output": {"maxFiles": 10}}
        path = provider.data / "words.txt"
        file = {
            "url": f"file://{path}",
            "name": "words.txt",
            "contentType": "text/plain",
            "contentLength": str(path.stat().st_size),
        }
        main = {"name": "words of js", "type": "dataset", "author": "me", "license": "CC0", "files": [file]}
        made = await consumer.assets.resolve((await market.algorithm()).did)
        described = {
            "attributes": {"main": main, "additionalInformation": {"description": "words"}},
            "services": [{"type": "compute", "attributes": {"main": {**offered, "policy": policy}}}],
            "workflow": {"algorithm": {name: made.main[name] for name in ("algorithm",) if name in made.main}},
        }
        told = json.loads(
            run_node(
                tmp_path, PROGRAM.read_text("utf-8"), provider.url, SECRET, json.dumps(contracts), json.dumps(described)
            )
        )
        assert told["owner"] == market.publisher.account
        assert (told["reused"], told["same"]) == ([False, True], True)
        assert told["asked"] == ["Registrations"] * 3, (
            "one for each new document, also for the one that the catalogue refused"
        )
        assert "publication" in told["steps"]
        assert str(path) not in told["document"]
        assert (told["rejected"], told["mistrusted"], told["later"]) == ("RejectedByUser", "ContractMismatch", 0)
        assert (told["interrupted"], told["resumed"]) == ("RelayExhausted", True)
        assert told["invalid"] == "InvalidDocument"
        assert told["signed"] == ["Registrations"], "an algorithm and its workflow are registered with one signature"
        assert told["reusedTogether"] == [[False, False], [True, True]]
        assert told["sameTogether"]
        assert told["planned"] == [[True, told["planned"][1][1]], [True, told["planned"][0][1]]]
        execution = await consumer.run(told["algorithm"], on=told["data"])
        await execution.wait(60)
        assert (await market.files(execution))["out.txt"] == "from js"
