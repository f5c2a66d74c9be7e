"""Executions on a real provider: start, whole run, stages, large inputs, stop, logs."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.bare import bare_start
from bench.table import Row, median
from insitu import Client, Previous, Stage, connect_async
from insitu.domain.amount import Amount
from insitu.sdk.agreements import Agreement
from insitu.stack.parts import open_images
from insitu.testing.provider import ProviderProcess

RUNS = 7
GIB = 1 << 30

FIRST = "import time\nnow = time.clock_gettime(time.CLOCK_MONOTONIC)\nopen('/mnt/output/first', 'w').write(repr(now))\n"
NOTHING = "open('/mnt/output/done', 'w').close()\n"
COPY = "import shutil\nshutil.copytree('/mnt/volume1', '/mnt/output/copy')\n"
SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(600)\n"
TICKS = (
    "import time\n"
    "for _ in range(20):\n"
    "    time.sleep(0.05)\n"
    "    print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)\n"
)
LARGE = (
    "import os\nassert os.stat('/mnt/volume1/large.bin').st_size == 1 << 30\nopen('/mnt/output/done', 'w').close()\n"
)


class Bench:
    """A consumer and an owner at one provider."""

    def __init__(self, provider: ProviderProcess, owner: Client, consumer: Client) -> None:
        self.provider = provider
        self.owner = owner
        self.consumer = consumer

    async def workflow(self, *sources: str, file: str = "small.txt") -> str:
        """Publish a workflow of as many stages as there are sources, each on the output of the one before."""
        path = str(self.provider.data / file)
        dataset = await self.owner.assets.publish_dataset(
            file, [path], algorithms="any", price=Amount.from_base_units(1), max_executions=1000
        )
        stages = []
        for index, source in enumerate(sources):
            algorithm = await self.consumer.assets.publish_algorithm("bench", {"run.py": source})
            inputs = [dataset.did] if index == 0 else [Previous(index - 1)]
            stages.append(Stage(algorithm=algorithm.did, inputs=inputs))
        return (await self.consumer.assets.publish_workflow(f"bench {file} {len(sources)}", stages)).did

    async def buy(self, *sources: str) -> Agreement:
        """Buy such a workflow."""
        return await self.consumer.agreements.buy(await self.workflow(*sources))

    async def whole(self, workflow: str) -> float:
        """Milliseconds from exec to settled, published and transferred, on an agreement of its own."""
        agreement = await self.consumer.agreements.buy(workflow)
        began = time.perf_counter()
        execution = await self.consumer.compute.execute(agreement.id)
        view = await execution.wait(300)
        took = (time.perf_counter() - began) * 1000
        assert view.phase == "Succeeded", view.reason
        assert view.settled
        return took


@asynccontextmanager
async def people(provider: ProviderProcess) -> AsyncIterator[Bench]:
    """Connect both."""
    settings = provider.settings
    async with (
        await connect_async(provider.url, account="owner", settings=settings) as owner,
        await connect_async(provider.url, account="consumer", settings=settings) as consumer,
    ):
        yield Bench(provider, owner, consumer)


async def measure(provider: ProviderProcess, image: str) -> list[Row]:
    """Take every figure of executions."""
    (provider.data / "small.txt").write_text("small\n")
    rootfs = await open_images(provider.settings).rootfs(image)
    async with people(provider) as bench:
        return [
            await _first_instruction(bench, rootfs),
            *await _runs(bench, rootfs),
            await _large_input(bench),
            await _stop(bench),
            await _log_line(bench),
        ]


async def _first_instruction(bench: Bench, rootfs: Path) -> Row:
    agreement, samples, floors = await bench.buy(FIRST), [], []
    for _ in range(RUNS):
        floors += bare_start(rootfs, 1)[0]
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        execution = await bench.consumer.compute.execute(agreement.id)
        await execution.wait(60)
        folder = bench.provider.home / "out" / execution.execution_id
        [path] = [file for file in await execution.download(folder) if file.name == "first"]
        samples.append((float(path.read_text()) - began) * 1000)
    ours, floor = median(samples), median(floors)
    goal = "bare runtime + 50 ms"
    return Row("request to first instruction", f"{ours:.0f} ms", f"bare runc {floor:.0f} ms", goal, ours <= floor + 50)


async def _runs(bench: Bench, rootfs: Path) -> list[Row]:
    one, six = await bench.workflow(NOTHING), await bench.workflow(NOTHING, *[COPY] * 5)
    singles, chains, floors = [], [], []
    for _ in range(RUNS):
        floors += bare_start(rootfs, 1)[1]
        singles.append(await bench.whole(one))
        chains.append(await bench.whole(six))
    single, floor = median(singles), median(floors)
    stage = (median(chains) - single) / 5
    return [
        Row(
            "no-op, exec to settled and published",
            f"{single:.0f} ms",
            f"bare run {floor:.0f} ms",
            "under 1 s",
            single < 1000,
        ),
        Row("each further stage", f"{stage:.0f} ms", f"bare run {floor:.0f} ms", "bare + 100 ms", stage <= floor + 100),
    ]


async def _large_input(bench: Bench) -> Row:
    large = bench.provider.data / "large.bin"
    with large.open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(GIB // 64))
    workflow = await bench.workflow(LARGE, file="large.bin")
    await bench.whole(workflow)
    before = _folder_bytes(bench.provider.home)
    took = await bench.whole(workflow)
    grown = _folder_bytes(bench.provider.home) - before
    large.unlink()
    copied = grown if grown > GIB // 4 else 0
    return Row(
        "1 GiB input, digest known",
        f"{took:.0f} ms, {copied} B copied",
        "a copy is 1,073,741,824 B",
        "0 bytes copied",
        not copied,
    )


async def _stop(bench: Bench) -> Row:
    agreement, samples = await bench.buy(SLEEP), []
    for _ in range(RUNS):
        execution = await bench.consumer.compute.execute(agreement.id)
        async for piece in execution.logs():
            if "asleep" in piece.text:
                break
        began = time.perf_counter()
        await execution.stop()
        while _alive(execution.execution_id):
            time.sleep(0.001)  # noqa: ASYNC251  nothing else may run in the measured time
        samples.append((time.perf_counter() - began) * 1000)
        await execution.wait(60)
    ours = median(samples)
    return Row("stop to every process gone", f"{ours:.0f} ms", "polling peers 5000 ms", "under 200 ms", ours < 200)


async def _log_line(bench: Bench) -> Row:
    agreement, samples = await bench.buy(TICKS), []
    execution = await bench.consumer.compute.execute(agreement.id)
    async for piece in execution.logs():
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        samples += [(now - float(line)) * 1000 for line in piece.text.split()]
    ours = median(samples)
    return Row("log line to client", f"{ours:.1f} ms", "polling peers 5000 ms", "under 100 ms", ours < 100)


def _folder_bytes(home: Path) -> int:
    """Bytes that the files below the data folder occupy, but for the published data itself."""
    total = 0
    for folder, _, names in os.walk(home):
        if folder.startswith(str(home / "data")):
            continue
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def _alive(execution_id: str) -> bool:
    """Return whether a process is in a control group of the execution."""
    for procs in Path("/sys/fs/cgroup").glob(f"*/insitu/*{execution_id}*/**/cgroup.procs"):
        try:
            if procs.read_text().strip():
                return True
        except OSError:
            continue
    return False
