"""JavaScript publishes a data set and an algorithm without coin, and Python runs them."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""The key of the development account that is called owner; it is public."""

PROGRAMS = Path(__file__).parent / "programs"


async def test_javascript_publishes_and_python_runs(provider: ProviderProcess, tmp_path: Path) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        consumer = market.consumer
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
                tmp_path,
                (PROGRAMS / "publishing.mjs").read_text("utf-8"),
                *(provider.url, SECRET, json.dumps(market.contracts), json.dumps(described)),
            )
        )
        assert told["owner"] == market.publisher.account
        assert (told["reused"], told["same"]) == ([False, True], True)
        assert told["asked"] == ["Registrations"] * 2, "one for each new document, none for one that breaks a rule"
        assert "publication" in told["steps"]
        assert str(path) not in told["document"]
        assert str(path) not in told["preview"]
        assert '"algorithms":"any"' in told["preview"]
        assert [file["name"] for file in told["listing"]["files"]] == ["more.txt"]
        assert (told["listing"]["next"], told["unseen"]) == ("more.txt", "CreatorNotAllowed")
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


async def test_javascript_finds_the_versions_that_python_registered(provider: ProviderProcess, tmp_path: Path) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        assets = market.publisher.assets
        data = await market.dataset()
        for price in ("11", "12"):
            await assets.update_asset(data.did, {}, [{"type": "compute", "attributes": {"main": {"price": price}}}])
        known = await assets.versions(data.did)
        program = (PROGRAMS / "versions.mjs").read_text("utf-8")
        told = json.loads(run_node(tmp_path, program, provider.url, data.did, known[0].checksum))
    said = [(found["number"], found["checksum"], found["block"], found["registrant"]) for found in told["versions"]]
    assert said == [(version.number, version.checksum, version.block, version.registrant) for version in known]
    assert [found["price"] for found in told["versions"][:2]] == ["12", "11"]
    changed = {"service": "compute", "path": "price", "before": "11", "after": "12"}
    assert told["versions"][0]["changes"] == [changed]
    assert "changes" not in told["versions"][-1]
    assert told["at"] == [[1, False, told["versions"][-1]["price"]], [3, True, "12"]]
    assert told["missing"] == ["AssetNotFound", "ChecksumMismatch"]
