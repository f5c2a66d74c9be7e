"""Memory that the C library keeps of what was freed: few arenas, and now and then it is given back (ADR 0104)."""

import ctypes
import os
from pathlib import Path

import anyio
import anyio.to_thread

__all__ = ["allocate_from_few_arenas", "give_back_what_is_freed"]

ARENAS = 2
"""Pools from which threads allocate. glibc makes eight for each core, and each keeps what its largest moment took."""
LOOK_SECONDS = 15.0
GROWN_BYTES = 4 * 1024 * 1024
"""So much more resident memory than after the last time is a reason to give some back."""

_M_ARENA_MAX = -8
"""From glibc's malloc.h."""


def allocate_from_few_arenas() -> None:
    """Limit glibc's arenas; to be called before threads have made them. Nothing happens with another C library."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


async def give_back_what_is_freed() -> None:
    """Give free pages back to the system when the process has grown, until cancelled; with glibc only."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    least = 0
    while trim is not None:
        await anyio.sleep(LOOK_SECONDS)
        if _resident() > least + GROWN_BYTES:
            await anyio.to_thread.run_sync(trim, 0)
            least = _resident()


def _resident() -> int:
    """Bytes of memory that this process occupies."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
