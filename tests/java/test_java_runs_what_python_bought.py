"""Python publishes and buys, and Java runs, follows, downloads and verifies, at a real provider."""

from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import SDK, run_java
from tests.market import open_market

pytestmark = [pytest.mark.needs("java", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
EXAMPLE = SDK / "examples" / "RunAgreement.java"
ANSWERS = Path(__file__).parent / "programs" / "Answers.java"


async def test_python_buys_and_java_runs_follows_downloads_and_verifies(
    provider: ProviderProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    async with open_market(provider) as market:
        agreement = await market.buy()
        told = run_java(EXAMPLE, provider.url, agreement.id, "nightly-1", str(tmp_path / "first")).splitlines()
        assert told[0] == "hello"
        execution, phase = told[1].split()
        assert phase == "Succeeded"
        assert told[2] == "the files are those of the receipt"
        texts = {path.name: path.read_text("utf-8") for path in (tmp_path / "first").rglob("*") if path.is_file()}
        assert texts == {"console.log": "hello\n", "out.txt": "done"}

        again = run_java(EXAMPLE, provider.url, agreement.id, "nightly-1", str(tmp_path / "second")).splitlines()
        assert again == told
        found = await market.consumer.compute.execution(agreement.id, execution)
        assert (await found.status()).phase == "Succeeded"

        command = (provider.url, SECRET, agreement.id, execution, str(tmp_path / "first"))
        answers = run_java(ANSWERS, *command).splitlines()
        assert answers == [
            "full FolderNotEmpty",
            "unknown AgreementUnknown",
            "phase Succeeded",
            "stopped ok",
            "phase Succeeded",
            "again ok",
            "stranger NotConsumer",
        ]
