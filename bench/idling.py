"""What the whole stack costs while nothing happens."""

import os
import time
from pathlib import Path

from bench.table import Row
from insitu.testing.provider import ProviderProcess

SECONDS = 20


def measure(provider: ProviderProcess) -> Row:
    """Add up the processor time of the provider and its children over some quiet seconds."""
    time.sleep(3)  # what the last request left to do is done by then; it is not idling
    before = _cpu(provider.pid)
    time.sleep(SECONDS)
    share = (_cpu(provider.pid) - before) / SECONDS * 100
    return Row("idle stack", f"{share:.2f} % of a core", "nothing 0 %", "under 1 % of a core", share < 1)


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process and everything that it started."""
    total = 0
    for process in _family(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    found = [pid]
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for number in child.read_text().split():
            found += _family(int(number))
    return found
