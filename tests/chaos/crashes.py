"""What is killed, what it was doing at that moment, and what was on its disk."""

import json
import os
import select
import signal
import tempfile
from pathlib import Path

import anyio

from insitu.domain.amount import Amount
from insitu.sdk.execution import Execution
from insitu.testing.provider import ProviderProcess
from tests.market import PRICE, Market

GATED = """
import pathlib, time
print("begun", flush=True)
while not pathlib.Path("/mnt/volume1/go").exists():
    time.sleep(0.02)
pathlib.Path("/mnt/output/out.txt").write_text("done")
"""


def new_folder(data: Path) -> Path:
    """An empty folder that algorithms may read."""
    folder = Path(tempfile.mkdtemp(dir=data))
    folder.chmod(0o755)
    return folder


async def gated_workflow(market: Market) -> tuple[Path, str]:
    """A folder in which the algorithm waits for a file named `go`, and the workflow that runs that algorithm on it."""
    folder = new_folder(market.provider.data)
    files = [{"url": folder.as_uri() + "/", "contentType": "application/octet-stream"}]
    dataset = await market.publisher.assets.publish_dataset(
        folder.name, files, algorithms="any", price=Amount.from_base_units(PRICE)
    )
    return folder, (await market.workflow(GATED, dataset)).did


async def running(execution: Execution, attempt: int) -> None:
    """Return once this attempt has printed something."""
    with anyio.fail_after(60):
        while True:
            async for piece in execution.logs():
                if piece.attempt == attempt:
                    return


async def saved(market: Market) -> Path:
    """Return the development chain's file once it has everything; a kill may lose what is newer."""
    newest, file = await market.newest_block(), market.provider.settings.folder.chain / "saved.json"
    kept = -1
    with anyio.fail_after(60):
        while kept < newest:
            kept = json.loads(await anyio.Path(file).read_bytes())["best_block_number"]
            await anyio.sleep(0.1)
    return file


def kill_with_chain(provider: ProviderProcess) -> None:
    """Kill the provider and its chain at one moment: neither sees the other end, and the chain saves nothing."""
    [chain] = children(provider.pid, "anvil")
    ending = os.pidfd_open(chain)
    os.kill(provider.pid, signal.SIGSTOP)
    os.kill(chain, signal.SIGKILL)
    provider.kill()
    try:
        assert select.select([ending], [], [], 20)[0], "the chain has not ended"
    finally:
        os.close(ending)


def children(pid: int, name: str) -> list[int]:
    """The children of this process that have this name."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    found = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return [child for child in found if name in Path(f"/proc/{child}/comm").read_text()]
