"""After a purchase: a correction with one prompt, and money that nobody else would send back."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""

PROGRAMS = Path(__file__).parent / "programs"
BAD = "raise SystemExit('a typo')\n"


def program(name: str) -> str:
    """Return a program with what it begins with."""
    return "".join((PROGRAMS / f"{part}.mjs").read_text("utf-8") for part in ("counting_wallet", name))


async def test_a_correction_costs_one_prompt_and_a_refund_is_sent_by_the_wallet(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        workflow = await market.workflow(BAD)
        node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
        arguments = (provider.url, SECRET, json.dumps(market.contracts), node, workflow.did)
        told = json.loads(run_node(tmp_path, program("revising"), *arguments))
    assert (told["bought"], told["ran"]) == (["Permit", "Terms"], "Failed")
    assert told["refused"] == {"code": "RevisionNotAllowed", "prompts": []}
    assert told["otherCode"]["code"] == "ChecksumMismatch"
    assert told["otherDocument"]["code"] == "ChecksumMismatch"
    assert "Updates" not in told["otherCode"]["prompts"] + told["otherDocument"]["prompts"]
    assert told["interrupted"] == {"code": "PeerUnavailable", "prompts": ["text", "Updates"]}
    assert told["told"] == [["update", True, 0]]
    assert told["revised"] == {"result": "Succeeded", "prompts": []}, "what was signed is sent"
    assert told["again"] == {"code": "RevisionNotAllowed", "prompts": []}, "after a success there is nothing to correct"
    assert told["settled"] == {"code": "ExecutionAlreadySettled", "prompts": []}
    assert told["early"] == {"code": "NotTimedOut", "prompts": []}
    assert told["unable"] == {"code": "RelayOff", "prompts": []}
    assert told["preview"] == ["open", told["price"]]
    assert (told["refunded"], told["sent"]) == (
        {"result": "refunded", "prompts": ["transaction"]},
        [["transaction", True, 0]],
    )
    assert told["twice"] == {"code": "ConditionNotInState", "prompts": []}
