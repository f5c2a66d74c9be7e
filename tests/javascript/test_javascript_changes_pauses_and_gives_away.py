"""An owner's desk in JavaScript: each change is shown, signed once, sent by the gateway, and true on the chain."""

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


def program(name: str) -> str:
    """Return a program with what it begins with."""
    return "".join((PROGRAMS / f"{part}.mjs").read_text("utf-8") for part in ("counting_wallet", name))


async def test_an_owner_updates_lists_pauses_and_gives_away_with_one_prompt_each(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        dataset = await market.dataset()
        workflow = await market.workflow(dataset=dataset)
        await market.run()
        other = await market.algorithm()
        node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
        arguments = (provider.url, SECRET, json.dumps(market.contracts), node, dataset.did, workflow.did, other.did)
        told = json.loads(run_node(tmp_path, program("desk"), *arguments))
        versions = await market.consumer.assets.versions(dataset.did)
        owner = await market.consumer.assets.owner(dataset.did)
    assert told["declined"] == {"code": "Error: not like this", "prompts": []}
    assert told["proposals"] == [[["name", "words", "words, again"], ["price", "10", "25"]]]
    assert told["updated"] == {"result": [2, "25", "words, again"], "prompts": ["Updates"]}
    assert told["told"] == [["update", True, 0]]
    assert told["same"] == {"result": 2, "prompts": []}
    assert told["forbidden"] == {"code": "VersionNotAllowed", "prompts": []}
    assert told["listed"] == {"result": "unlisted", "prompts": ["ListingRequest"]}
    assert told["again"] == {"result": "listed", "prompts": ["ListingRequest"]}
    assert told["curator"] == {"code": "NotCurator", "prompts": ["CurationRequest"]}
    assert told["featured"] == told["curator"]
    assert (told["curated"]["results"], told["curated"]["totalResults"]) == ([], 0)
    assert told["retired"] == {"result": "retired", "prompts": ["ListingRequest"]}
    assert told["relisted"] == {"result": "listed", "prompts": ["Updates"]}
    assert (told["provides"], told["without"], told["back"]) == ([True], [False], [True])
    assert told["paused"]["prompts"] == ["ProviderChange", "text", "ListingRequest"]
    assert told["paused"]["result"] == {"did": dataset.did, "paused": True, "hereAlone": False}
    assert (told["refused"], told["allowed"]) == (["NotDIDProvider", "AssetRetired"], True)
    assert told["resumed"] == {"result": "listed", "prompts": ["ProviderChange", "Updates"]}
    assert (told["isKeptBefore"], told["isKept"]) == (False, True)
    assert told["figures"] == {"result": [[[True, False]], True, True], "prompts": []}
    assert told["states"] == {"result": ["retired", False, None], "prompts": []}
    assert told["proposed"] == {"result": [["name", "only looked at"]], "prompts": []}
    assert told["mine"] == [["owner", "Succeeded"]]
    assert told["otherDocument"] == {"code": "ChecksumMismatch", "prompts": []}
    assert told["otherProvider"] == {"code": "NotDIDProvider", "prompts": []}
    assert told["otherCode"] == {"code": "ContractMismatch", "prompts": []}
    assert told["notMine"] == {"code": "NotDIDOwner", "prompts": []}
    assert told["typo"] == {"code": "InvalidId", "prompts": []}
    assert told["handed"] == {"result": told["owner"], "prompts": ["Transfer"]}
    assert told["transfer"] == [["transfer", True, 0]]
    assert told["lost"] == {"code": "NotDIDOwner", "prompts": []}
    assert owner.lower() == told["owner"]
    assert [version.number for version in versions] == [4, 3, 2, 1]
