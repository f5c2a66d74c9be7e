"""JavaScript buys and starts an execution, and Java finds it by the key of its run, downloads and verifies."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import SDK, run_java
from tests.javascript.packages import install_sdk, run_node
from tests.market import PAID, open_market

pytestmark = [pytest.mark.needs("java", "node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
PROGRAM = """
import { connectAccount } from 'insitu'
import { localKey } from 'insitu/wallets'
const [url, secret, workflow, contracts] = process.argv.slice(2)
const client = await connectAccount(url, localKey(secret), { contracts: JSON.parse(contracts) })
const bought = await client.buy(workflow)
const execution = await client.execute(bought.id, { idempotencyKey: 'nightly-1' })
console.log(bought.id, execution.executionId)
"""


async def test_an_execution_that_javascript_bought_is_verified_in_java(
    provider: ProviderProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        workflow = await market.workflow()
        before = await market.balances()
        arguments = (provider.url, SECRET, workflow.did, json.dumps(market.contracts))
        agreement, execution = run_node(tmp_path, PROGRAM, *arguments).split()
        example = SDK / "examples" / "RunAgreement.java"
        told = run_java(example, provider.url, agreement, "nightly-1", str(tmp_path / "result")).splitlines()
        assert told == ["hello", f"{execution} Succeeded", "the files are those of the receipt"]
        assert (tmp_path / "result" / "out.txt").read_text("utf-8") == "done"
        assert await market.changes(before) == PAID
