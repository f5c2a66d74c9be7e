"""The example for Node runs a workflow of a real provider, on contracts that the SDK knows."""

import os
import shutil
import subprocess
from pathlib import Path

import anyio
import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import SDK, install_sdk
from tests.market import PAID, open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""


async def test_the_example_asks_nothing_on_contracts_that_the_sdk_knows(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    shutil.copy(SDK / "examples" / "run.mjs", tmp_path)
    async with open_market(provider) as market:
        command = ["node", "run.mjs", provider.url, (await market.workflow()).did, "result"]
        environment, before = {**os.environ, "KEY": SECRET}, await market.balances()

        done = await anyio.run_process(
            command, input=b"no\n", check=False, cwd=tmp_path, env=environment, stderr=subprocess.STDOUT
        )
        told = done.stdout.decode()
        assert (done.returncode, "trust?" in told) == (0, False), told
        assert "\nhello\n" in told
        assert "the receipt holds" in told
        assert (tmp_path / "result" / "out.txt").read_text() == "done"
        assert await market.changes(before) == PAID
