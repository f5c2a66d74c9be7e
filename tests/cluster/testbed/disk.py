"""Whether the disk has room for the cluster: below a share of it the kubelet ends pods, and tests fail with them."""

import shutil
from pathlib import Path

EVICTION = 0.01
"""Share of a filesystem below which the kubelet of the testbed ends pods (``evictionHard`` in ``node.py``)."""
NEEDED = 4 << 30
"""Bytes that the tests write beside that: images of two nodes and of the registry, volumes, and logs."""


def require_room(folder: Path) -> None:
    """Refuse to start in a folder that the kubelet would soon find full."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    shown = shutil.disk_usage(place)
    wanted = int(shown.total * EVICTION) + NEEDED
    if shown.free >= wanted:
        return
    raise OSError(
        f"the test cluster needs {_gib(wanted)} on the disk of {place}, and {_gib(shown.free)} are free: "
        f"below {EVICTION:.0%} the kubelet ends its pods. Free some and start it again: 'make cluster-down' removes "
        "what an earlier cluster left, and 'du -xh -d 2 ~ | sort -h | tail' shows what else is large"
    )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"


__all__ = ["EVICTION", "require_room"]
