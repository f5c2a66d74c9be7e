"""``python -m bench``: print every figure beside its floor."""

import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import anyio

from bench import executing, idling, java, pages, starting
from bench.table import show
from insitu.stack.parts import open_images
from insitu.testing.provider import ProviderProcess, running_provider

SERVER = {"server_id": "bench", "price": "0", "cpu": 1, "memory": 500_000_000, "disk": 100_000_000}


def main() -> None:
    """Measure on a provider of its own, and print the table."""
    rows = starting.measure()
    with tempfile.TemporaryDirectory(prefix="insitu-bench-") as folder:
        home = Path(folder)
        build = partial(open_images(ProviderProcess(home).settings).build_from_host, [], "insitu/python", "3")
        image = anyio.run(build)
        with running_provider(home, gateway__servers=json.dumps([SERVER]), limits__body_bytes="1048576") as provider:
            rows += anyio.run(executing.measure, provider, image.digest)
            rows += anyio.run(java.measure, provider)
            rows += anyio.run(pages.measure, provider)
            rows.append(idling.measure(provider))
    sys.stdout.write(show(rows) + "\n")


main()
