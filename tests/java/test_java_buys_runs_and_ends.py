"""Python publishes, and Java buys, runs, corrects, verifies, closes and refunds, at a real provider."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import run_java
from tests.market import PRICE, SERVER_PRICE, UPPER, open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

CONSUMER = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
PROGRAMS = Path(__file__).parent / "programs"
BAD = "raise SystemExit('a typo')\n"
TOTAL = PRICE + SERVER_PRICE


async def test_java_buys_in_both_ways_corrects_verifies_closes_and_refunds(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    script = tmp_path / "run.py"
    script.write_text(UPPER, "utf-8")
    node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
    async with open_market(provider) as market:
        workflow = await market.workflow(BAD)
        before = await market.balances()
        arguments = (provider.url, CONSUMER, node, workflow.did, str(tmp_path / "result"), str(script))
        told = json.loads(run_java(PROGRAMS / "Buys.java", *arguments))
        assert (told["total"], told["dear"]) == (str(TOTAL), "PriceTooHigh")
        bought = await market.consumer.agreements.show(told["own"][0])
        assert (told["own"][1:], bought.workflow_did) == (["granted", True], workflow.did)
        assert (told["listed"], told["bad"], told["good"]) == (True, "Failed", "Succeeded")
        assert (told["printed"], told["files"]) == ("hello\n", ["logs/console.log", "out.txt"])
        assert (told["proved"], told["charge"]) == (True, str(TOTAL))
        assert (told["corrected"], told["settled"]) == ("RevisionNotAllowed", "ExecutionAlreadySettled")
        assert (told["relayed"], told["unable"]) == (["granted", True], "RelayOff")
        assert (told["preview"], told["closing"], told["closed"]) == (["0", str(TOTAL)], str(TOTAL), True)
        assert (told["early"], told["tooEarly"]) == ("ConditionNotInState", "NotTimedOut")
        assert await market.changes(before) == (-2 * TOTAL, PRICE, SERVER_PRICE, TOTAL)

        left = await market.consumer.agreements.show(told["third"])
        await market.rpc("evm_increaseTime", left.state.settlement_ends(left.terms) - left.now + 1)
        await market.rpc("evm_mine")
        refunded = run_java(PROGRAMS / "Refunds.java", provider.url, CONSUMER, node, told["third"])
        assert refunded.split() == ["refunded", "ConditionNotInState"]
        assert await market.changes(before) == (-TOTAL, PRICE, SERVER_PRICE, 0)
