"""E7. The OPERATOR deletes all the containers and volumes that it created, however the execution ended."""

from pathlib import Path

import anyio
import pytest

from insitu.sdk.execution import Execution
from spec.conftest import UPPER, Market

ENDINGS = {
    "success": UPPER,
    "failure": "raise SystemExit(1)\n",
    "stop": "import time\nprint('started', flush=True)\ntime.sleep(60)\n",
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_after_every_ending_no_volume_mount_or_process_is_left(market: Market, ending: str) -> None:
    agreement = await market.buy(ENDINGS[ending])
    execution = await market.consumer.compute.execute(agreement.id)
    if ending == "stop":
        async for _ in execution.logs():
            break
        await execution.stop()
    await execution.wait(60)
    await _gone(market, execution)


async def _gone(market: Market, execution: Execution) -> None:
    """Cleaning follows the end at once, but it is not part of what the consumer waits for."""
    with anyio.fail_after(20):
        # Nothing tells a stranger that folders and mounts are gone, so there is nothing to wait for but time.
        while _left(market.provider.home, execution.execution_id):  # noqa: ASYNC110
            await anyio.sleep(0.05)


def _left(home: Path, execution_id: str) -> list[str]:
    runs = [str(path) for path in (home / "runs").glob(f"*{execution_id}*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if execution_id in line]
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/insitu/*{execution_id}*")]
    return runs + mounts + groups
