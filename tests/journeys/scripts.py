"""What the people of the journeys have: data, and algorithms that read them."""

from pathlib import Path

FLIGHTS = "carrier,delay\nUA,2\nAA,5\nUA,9\n"

COUNT = """
import sys
from pathlib import Path

options = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
rows = [line.split(",") for file in Path(options["input1"]).rglob("*.csv") for line in file.read_text().split()]
print("\\033[31mreading\\033[0m", len(rows), "lines", flush=True)
wanted = options.get("carrier")
found = sum(1 for row in rows[1:] if wanted is None or row[0] == wanted)
Path(options["output"], "count.txt").write_text(f"{found}\\n")
"""

FAILING = "import sys\nprint('looking for a column', flush=True)\nsys.exit('there is no such column')\n"

SLEEPING = "import time\nprint('going on', flush=True)\ntime.sleep(600)\n"


def written(folder: Path, name: str, text: str) -> Path:
    """A file with this text; a second call with the same name replaces it."""
    path = folder / name
    path.write_text(text)
    return path
