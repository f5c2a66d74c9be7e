"""E7. The OPERATOR deletes all the containers and volumes that it created, however the execution ended."""

import pytest

from tests.leftovers import gone
from tests.spec.conftest import UPPER, Market

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
    await gone(market.provider.home, execution.execution_id)
