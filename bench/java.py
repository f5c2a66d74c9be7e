"""The Java SDK beside the Python SDK at one provider: a purchase and execution without the wait for its end."""

import json
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.executing import NOTHING, RUNS, Bench, people
from bench.table import Row, median
from insitu.testing.provider import ProviderProcess
from tests.java.packages import class_path

CONSUMER = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""
PROGRAM = Path(__file__).parent / "Purchase.java"
MOST_MEGABYTES = 8.5


async def measure(provider: ProviderProcess) -> list[Row]:
    """Buy, execute, download and verify with both, and weigh the jars."""
    jars = class_path()
    with TemporaryDirectory(prefix="insitu-bench-java-") as folder:
        path = f"{jars}:{folder}"
        subprocess.run(["javac", "-cp", jars, "-d", folder, PROGRAM], check=True)  # noqa: ASYNC221  before the clock runs
        async with people(provider) as bench:
            return [await _purchases(bench, path, Path(folder)), _weight(jars)]


async def _purchases(bench: Bench, path: str, folder: Path) -> Row:
    workflow = await bench.workflow(NOTHING)
    node = json.loads(bench.provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
    command = ["java", "-cp", path, "Purchase", bench.provider.url, CONSUMER, node, workflow]
    began = time.perf_counter()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as java:  # noqa: ASYNC220  in turns
        assert java.stdin is not None
        assert java.stdout is not None
        assert java.stdout.readline() == "ready\n"
        start = (time.perf_counter() - began) * 1000
        ours, theirs = [], []
        for run in range(RUNS + 1):
            theirs.append(await _python(bench, workflow, folder / f"python-{run}"))
            java.stdin.write(f"{folder / f'java-{run}'}\n")
            java.stdin.flush()
            ours.append(float(java.stdout.readline()))
        java.stdin.close()
    first, peer = ours[0], median(theirs[1:])
    took = median(ours[1:])
    return Row(
        "purchase, start, download and verification, Java SDK",
        f"{took:.0f} ms (first {first:.0f}, JVM {start:.0f})",
        f"Python SDK {peer:.0f} ms (first {theirs[0]:.0f})",
        "at most Python's",
        took <= peer,
    )


async def _python(bench: Bench, workflow: str, folder: Path) -> float:
    began = time.perf_counter()
    agreement = await bench.consumer.agreements.buy(workflow)
    execution = await bench.consumer.compute.execute(agreement.id)
    started = time.perf_counter()
    await execution.wait(60)
    began += time.perf_counter() - started  # that is the provider's time
    await execution.download(folder)
    await bench.consumer.verify(await execution.receipt(), files=folder, on_chain=False)
    return (time.perf_counter() - began) * 1000


def _weight(jars: str) -> Row:
    sizes = [Path(jar).stat().st_size / 1e6 for jar in jars.split(":")]
    ours = f"{len(sizes)} jars, {sum(sizes):.1f} MB"
    return Row(
        "what a Java program needs",
        ours,
        "web3j core 4.12.3: 84 jars, 34.4 MB",
        f"2 jars, {MOST_MEGABYTES} MB",
        len(sizes) == 2 and sum(sizes) <= MOST_MEGABYTES,
    )
