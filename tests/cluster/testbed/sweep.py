"""Deleting what a cluster leaves: mounts, control groups, folders. Nothing outside of its own names is touched."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def sweep(work: Path, cgroup_names: Sequence[str]) -> None:
    """Unmount everything below ``work``, remove the named top control groups, delete ``work``."""
    for mount in sorted(_mounts_below(work), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    for name in cgroup_names:
        for top in [CGROUPS / name, *CGROUPS.glob(f"*/{name}")]:
            _remove_cgroup(top)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(str(work)):
            link.unlink()
    shutil.rmtree(work, ignore_errors=False) if work.exists() else None


def _mounts_below(work: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    places = (line.split()[4].encode().decode("unicode_escape") for line in lines)
    return [place for place in places if place == str(work) or place.startswith(f"{work}/")]


def _remove_cgroup(top: Path) -> None:
    for folder, _, _ in os.walk(top, topdown=False):
        Path(folder).rmdir()
