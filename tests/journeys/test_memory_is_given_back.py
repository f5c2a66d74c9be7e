"""The provider does not keep the memory that executions needed for a moment."""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from insitu.domain.execution import Phase
from tests.market import Market

GIVEN_BACK = """
import anyio, ctypes, threading
from insitu.stack import memory

library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
memory.LOOK_SECONDS = 0.05
memory.allocate_from_few_arenas()

def hold_and_free():
    pieces = [library.malloc(4000) for _ in range(20_000)]
    for piece in pieces:
        ctypes.memset(piece, 1, 4000)
    kept = pieces.pop()  # what lies at the end keeps all before it from going back by itself
    for piece in pieces:
        library.free(piece)

async def main():
    threads = [threading.Thread(target=hold_and_free) for _ in range(4)]
    for thread in threads:
        thread.start()
        thread.join()
    before = memory._resident()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(memory.give_back_what_is_freed)
        with anyio.fail_after(30):
            while memory._resident() > before - 40_000_000:
                await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()

anyio.run(main)
"""


def test_what_threads_freed_goes_back_to_the_system() -> None:
    ended = subprocess.run([sys.executable, "-c", GIVEN_BACK], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr


FIRST, MORE = 20, 60
MOST = 16_000_000
"""Bytes that these may leave behind. Caches fill first: a thousand leave hardly more than a hundred."""


@pytest.mark.slow
@pytest.mark.needs("oci", "chain", "root")
async def test_a_provider_does_not_grow_with_its_executions(market: Market) -> None:
    agreement = await market.buy("open('/mnt/output/done', 'w').write('done')\n")
    await run(market, agreement.id, FIRST)
    first = resident(market)
    await run(market, agreement.id, MORE)
    # The provider looks at its memory every 15 seconds.
    for _ in range(60):
        if resident(market) <= first + MOST:
            return
        await anyio.sleep(1)
    raise AssertionError(f"{resident(market) - first} bytes more than after the first {FIRST}")


async def run(market: Market, agreement: str, count: int) -> None:
    for _ in range(count):
        execution = await market.consumer.compute.execute(agreement)
        assert (await execution.wait(60)).phase is Phase.SUCCEEDED


def resident(market: Market) -> int:
    """Bytes of memory that the provider occupies."""
    pages = Path(f"/proc/{market.provider.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
