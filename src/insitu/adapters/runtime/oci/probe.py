"""Proof of the seal: a real container tries what an algorithm must not be able to do, and reports what happened.

It opens files for writing but writes nothing, so that even a broken sandbox does no harm.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from insitu.adapters.runtime.oci import linux
from insitu.adapters.runtime.oci.bundle import Bind, Sandbox, Tmpfs, config_json
from insitu.adapters.runtime.oci.cgroups import Cgroups, GroupLimits, find_cgroups, find_delegated, read_counters
from insitu.adapters.runtime.oci.launch import SANDBOX_GID
from insitu.adapters.runtime.oci.trees import delete_tree
from insitu.adapters.runtime.oci.volumes import create_volume
from insitu.domain.errors import InsituError

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_SECONDS = 30
_VOLUME_BYTES = 1 << 20
_PROBE_LIMITS = GroupLimits(memory_bytes=256 << 20, cpu_millis=1000, pids=64)

# Runs inside, with -I -S. Each line tells what a forbidden attempt led to: 0 is success, else the error number.
_SCRIPT = """
import ctypes, errno, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def opened(path):
    try:
        os.close(os.open(path, os.O_WRONLY))
        return 0
    except OSError as error:
        return error.errno
def made(family):
    try:
        socket.socket(family, socket.SOCK_STREAM).close()
        return 0
    except OSError as error:
        return error.errno
def called(result):
    return 0 if result >= 0 else ctypes.get_errno()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
devices = sorted(line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line)
print(json.dumps({
    "network socket": made(socket.AF_INET), "vsock": made(40),
    "mount": called(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "user namespace": called(libc.unshare(0x10000000)),
    "write to an input": opened("/mnt/volume1/file"), "write to the image": opened("/etc/probe"),
    "write to /proc/sys": opened("/proc/sys/kernel/core_pattern"),
    "capabilities": int(status["CapEff"], 16), "no new privileges": int(status["NoNewPrivs"]),
    "seccomp": int(status["Seccomp"]), "devices": devices,
}))
"""
_MUST_FAIL = (
    "network socket",
    "vsock",
    "mount",
    "user namespace",
    "write to an input",
    "write to the image",
    "write to /proc/sys",
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found: the chosen runtime, what enforces each limit, and why nothing can run (empty if it can).

    ``grouped``: whether containers run in control groups of ours.
    """

    runtime: str
    binary: str | None
    rootless: bool
    limits: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    grouped: bool = False


def cgroups_of(runs: Path) -> Cgroups | None:
    """Return the control groups of a data folder: those of two folders on one machine never meet."""
    key = hashlib.sha256(os.fsencode(runs.resolve())).hexdigest()[:12]
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        own = Path("/proc/self/cgroup").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    if os.geteuid() == 0:
        return find_cgroups(mounts, f"insitu/{key}")
    return find_delegated(mounts, own, f"insitu/{key}")


def probe_machine(runs: Path, cgroups: Cgroups | None, candidates: tuple[str, ...]) -> Probe:
    """Try each candidate in order; the first one that is sealed is the runtime. Blocking.

    Without root a runtime that cannot use the delegated control groups is tried without them, after all the others.
    """
    rootless = os.geteuid() != 0
    refusals = []
    ways = [
        (candidate, groups)
        for groups in dict.fromkeys((cgroups, None if rootless else cgroups))
        for candidate in candidates
    ]
    for candidate, groups in ways:
        binary = shutil.which(candidate, path=os.environ.get("PATH", "") + ":" + _SYSTEM_PATH)
        if binary is None:
            refusals.append(f"{candidate} is not installed")
            continue
        try:
            with _probe_folder(runs) as folder:
                limits = _try(binary, folder, groups, rootless=rootless)
        except (InsituError, OSError, subprocess.SubprocessError) as error:
            refusals.append(f"{candidate}: {error}")
            continue
        return Probe(_version(binary), binary, rootless, limits, grouped=groups is not None)
    return Probe("none", None, rootless, {}, tuple(dict.fromkeys(refusals)))


def sweep_probes(runs: Path, cgroups: Cgroups | None) -> None:
    """Remove what a killed probe left behind. Call it while no other process uses the folder."""
    for name in cgroups.names() if cgroups is not None else ():
        if cgroups is not None and name.startswith("probe-"):
            cgroups.remove(name)
    for folder in runs.glob(".probe-*"):
        _vanish(folder)


@contextmanager
def _probe_folder(runs: Path) -> Iterator[Path]:
    runs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".probe-", dir=runs))
    try:
        yield folder
    finally:
        _vanish(folder)


def _vanish(folder: Path) -> None:
    for point in linux.mounts_below(folder):
        linux.unmount(point)
    delete_tree(folder)


def _try(binary: str, folder: Path, cgroups: Cgroups | None, *, rootless: bool) -> dict[str, str]:
    """Run the probe; return what enforces each limit. Raises ``RuntimeUnavailable`` if it is not sealed."""
    name = f"probe-{folder.name.removeprefix('.probe-')}"
    group = None
    if cgroups is not None:
        cgroups.create(name, _PROBE_LIMITS)
        group = cgroups.path_for_runtime(name)
    try:
        sandbox = _sandbox(folder, group, rootless=rootless)
        (folder / "config.json").write_text(json.dumps(config_json(sandbox)), "utf-8")
        facts = _run(binary, folder, name)
        _judge(facts)
        limits = _group_limits(cgroups, name)
    finally:
        if cgroups is not None:
            cgroups.kill(name)
            cgroups.remove(name)
    if not rootless:
        create_volume(folder / "templates", folder, "output", _VOLUME_BYTES, SANDBOX_GID, SANDBOX_GID)
    limits["disk"] = "tmpfs" if rootless else "loop-ext4"
    if limits["pids"] == "none":
        limits["pids"] = "rlimit"
    return limits | {"network": "namespace", "syscalls": "seccomp", "time": "monitor"}


def _sandbox(folder: Path, group: str | None, *, rootless: bool) -> Sandbox:
    """Return a sandbox with the host's own Python on an empty root, so that no image is needed."""
    rootfs, volume = folder / "rootfs", folder / "input"
    for name in ("dev", "etc", "mnt", "proc", "sys", "tmp", "usr"):
        (rootfs / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib32", "lib64", "libx32", "sbin"):
        link = Path("/") / name
        if link.is_symlink():
            (rootfs / name).symlink_to(link.readlink())
    (rootfs / "etc" / "probe").touch(mode=0o666)
    volume.mkdir()
    (volume / "file").touch(mode=0o666)
    (volume / "file").chmod(0o666)
    binds = [Bind("/usr", "/usr", executable=True), Bind(str(volume), "/mnt/volume1")]
    python = "/usr/bin/python3"
    if not Path(python).exists():
        python = str(Path(sys.executable).resolve())
        (rootfs / sys.base_prefix.lstrip("/")).mkdir(parents=True, exist_ok=True)
        binds.append(Bind(sys.base_prefix, sys.base_prefix, executable=True))
    return Sandbox(
        rootfs=str(rootfs),
        argv=(python, "-I", "-S", "-B", "-c", _SCRIPT),
        cwd="/",
        environment={"PATH": _SYSTEM_PATH},
        binds=tuple(binds),
        machine=platform.machine(),
        tmpfs=(Tmpfs("/mnt/output", _VOLUME_BYTES, 64),) if rootless else (),
        uid=SANDBOX_GID,
        gid=SANDBOX_GID,
        cgroups_path=group,
        rootless=(os.geteuid(), os.getegid()) if rootless else None,
    )


def _run(binary: str, folder: Path, name: str) -> Mapping[str, object]:
    command = [binary, "--root", str(folder / "state"), "--log", str(folder / "log")]
    try:
        done = subprocess.run(
            [*command, "run", "--bundle", str(folder), name],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
    finally:
        # Killing the runtime does not kill the container.
        if (folder / "state" / name).exists():
            subprocess.run([*command, "delete", "--force", name], capture_output=True, check=False, timeout=30)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise InsituError("RuntimeUnavailable", words[-1][:300] if words else f"exit code {done.returncode}")
    facts: Mapping[str, object] = json.loads(done.stdout)
    return facts


def _judge(facts: Mapping[str, object]) -> None:
    """Raise ``RuntimeUnavailable`` naming every attempt that should have failed and did not."""
    open_doors = [name for name in _MUST_FAIL if facts.get(name) == 0]
    if facts.get("capabilities") != 0:
        open_doors.append("capabilities")
    if facts.get("no new privileges") != 1:
        open_doors.append("new privileges")
    if facts.get("seccomp") != 2:
        open_doors.append("system calls")
    if facts.get("devices") != ["lo"]:
        open_doors.append("network devices")
    if open_doors:
        raise InsituError("RuntimeUnavailable", f"the sandbox is not sealed: {', '.join(open_doors)}")


def _group_limits(cgroups: Cgroups | None, name: str) -> dict[str, str]:
    """Return which limits hold: the kernel took them, and the group's counters show that the container ran in it."""
    nothing = {"memory": "none", "cpu": "none", "pids": "none"}
    if cgroups is None:
        return nothing
    texts: dict[str, str | None] = {}
    for label, path in cgroups.counter_files(name).items():
        with suppress(OSError):
            texts[label] = Path(path).read_text("ascii")
    counters = read_counters(texts)
    ran_here = bool(counters.cpu_seconds or counters.peak_memory_bytes)
    return cgroups.enforced_on(name, _PROBE_LIMITS) if ran_here else nothing


def _version(binary: str) -> str:
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=10)
    words = done.stdout.split()
    return f"{words[0]} {words[2]}" if len(words) > 2 else Path(binary).name
