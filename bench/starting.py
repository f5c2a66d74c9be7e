"""How long a person waits before anything happens: imports and help."""

import subprocess
import sys
import time

from bench.table import Row, median

RUNS = 9


def measure() -> list[Row]:
    """Time whole processes; the floor is the same interpreter doing nothing, and click's own import."""
    floor = _wall([sys.executable, "-I", "-c", "pass"])
    library = _wall([sys.executable, "-c", "import insitu"])
    click = _wall([sys.executable, "-c", "import click"])
    helped = _wall([sys.executable, "-m", "insitu", "--help"])
    return [
        Row("import insitu", f"{library:.0f} ms", f"python alone {floor:.0f} ms", "under 150 ms", library < 150),
        Row("insitu --help", f"{helped:.0f} ms", f"import click {click:.0f} ms", "under 300 ms", helped < 300),
    ]


def _wall(command: list[str]) -> float:
    samples = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        samples.append((time.perf_counter() - began) * 1000)
    return median(samples)
