"""An agreement is executed from a Spark driver, and its result is a DataFrame."""

import os
import subprocess
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.java.packages import SDK, class_path
from tests.market import open_market
from tests.parts import ROOT

pytestmark = [pytest.mark.needs("java", "spark", "docs", "chain", "oci", "root"), pytest.mark.slow]

CONSUMER = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
ALGORITHM = "open('/mnt/output/delays.csv', 'w').write('carrier,minutes\\nUA,2\\nAA,5\\nUA,4\\n')\n"
OPENED = ("java.lang", "java.lang.invoke", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch")
"""What Spark 3.5 reaches into, as its own launcher says on a JDK 17."""


def drive(*arguments: str | Path) -> list[str]:
    """Run the example as a Spark driver; return the lines that it printed."""
    spark = (ROOT / ".cache/spark/class-path").read_text("utf-8").strip()
    opens = [word for package in OPENED for word in ("--add-opens", f"java.base/{package}=ALL-UNNAMED")]
    command = [
        "java",
        *opens,
        "-cp",
        f"{class_path()}:{spark}",
        SDK / "examples" / "ResultAsDataFrame.java",
        *arguments,
    ]
    keyed = os.environ | {"KEY": CONSUMER}
    done = subprocess.run(command, env=keyed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


async def test_spark_reads_what_an_execution_wrote(provider: ProviderProcess, tmp_path: Path) -> None:
    async with open_market(provider) as market:
        workflow = await market.workflow(ALGORITHM)
        agreement = await market.consumer.agreements.buy(workflow.did)
        printed = drive(provider.url, agreement.id, "one-run", tmp_path / "result")
    assert printed[-2:] == ["[AA,5.0]", "[UA,3.0]"]
