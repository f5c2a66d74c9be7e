"""Memory that the C library keeps after it was freed: use few arenas, and give it back now and then (ADR 0104)."""

import ctypes
import os
from pathlib import Path

import anyio
import anyio.to_thread

ARENAS = 2
"""Pools that threads allocate from. glibc makes eight per core, and each keeps the most that it ever used."""
LOOK_SECONDS = 15.0
GROWN_BYTES = 4 * 1024 * 1024
"""Give memory back when the process has grown by this much since the last time."""

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def allocate_from_few_arenas() -> None:
    """Limit glibc's arenas; call it before threads make them. Does nothing with another C library."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


async def give_back_what_is_freed() -> None:
    """Give free pages back to the system when the process has grown, until cancelled; only with glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    least = 0
    while trim is not None:
        await anyio.sleep(LOOK_SECONDS)
        if _resident() > least + GROWN_BYTES:
            await anyio.to_thread.run_sync(trim, 0)
            least = _resident()


def _resident() -> int:
    """Return the bytes of memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
