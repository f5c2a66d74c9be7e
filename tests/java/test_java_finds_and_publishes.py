"""Java finds what Python published, and Python runs what Java published, at a real provider."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import run_java
from tests.market import PRICE, SERVER_PRICE, open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

OWNER = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""The key of the development account that is called owner; it is public."""

PROGRAMS = Path(__file__).parent / "programs"


async def test_java_finds_what_python_published_by_every_filter(provider: ProviderProcess) -> None:
    async with open_market(provider) as market:
        said = {"author": "somebody", "license": "CC0", "tags": ["spoken"], "categories": ["text"]}
        data = await market.dataset("found words", **said)
        change = [{"type": "compute", "attributes": {"main": {"timeout": 7200}}}]
        data = await market.publisher.assets.update_asset(data.did, {}, change)
        owner = market.publisher.account
        told = json.loads(run_java(PROGRAMS / "Finds.java", provider.url, data.did, owner))
    assert (told["found"], told["total"], told["pages"]) == ([data.did], 1, [1, 1])
    assert told["others"] == 0
    assert told["facets"]["tag"]["values"] == [{"count": 1, "value": "spoken"}]
    assert [found["price"] for found in told["summaries"]["summaries"]] == [str(PRICE)]
    assert told["summaries"]["unknown"] == [f"did:nv:{'0' * 64}"]
    assert told["status"] == [data.did, "listed", data.checksum]
    assert told["shown"] == [data.did, data.checksum, owner, owner]
    assert told["version"] == 2
    assert told["unregistered"] == "AssetNotFound"
    assert (told["refused"], told["unknown"]) == ("InvalidRequest", "AssetNotFound")


async def test_java_publishes_changes_and_gives_away_and_python_runs(provider: ProviderProcess, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text("import pathlib\npathlib.Path('/mnt/output/out.txt').write_text('from java')\n", "utf-8")
    async with open_market(provider) as market:
        words = provider.data / "words.txt"
        foreign = (await market.algorithm()).did
        arguments = (provider.url, OWNER, str(words), str(script), foreign)
        told = json.loads(run_java(PROGRAMS / "Publishes.java", *arguments))
        data, algorithm, workflow = told["dids"]
        assert told["new"] == [False, False, False]
        assert str(words) not in told["document"]
        assert (told["invalid"], told["foreign"], told["stranger"]) == ("InvalidDocument", "NotOwner", "NotDIDOwner")
        assert (told["again"], told["reused"]) == ([data, algorithm], [True, True])
        assert (told["versions"], told["third"]) == ([2, 2], 3)
        assert (told["unlisted"], told["found"], told["listed"]) == ("unlisted", 0, "listed")
        assert (told["retired"], told["given"]) == ("retired", True)
        execution = await market.consumer.run(algorithm, on=data)
        await execution.wait(60)
        assert (await market.files(execution))["out.txt"] == "from java"
        bought = await market.consumer.agreements.buy(workflow)
        assert bought.price.base_units == 12 + SERVER_PRICE
