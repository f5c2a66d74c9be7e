"""Java finds what Python published, at a real provider."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import run_java
from tests.market import PRICE, open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

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
