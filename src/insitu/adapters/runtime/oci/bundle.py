"""The generator of ``config.json`` (OCI runtime specification 1.0): a frozen value in, a dict out, nothing else.

What is sealed, and by what: no network (a network namespace of its own), the host's processes (PID, IPC, UTS, cgroup
namespaces), the host's files (mount namespace, read-only root, read-only inputs), the kernel's wide interfaces
(system-call filter, no capability, masked and read-only parts of /proc, no /sys).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insitu.adapters.runtime.oci.seccomp import seccomp_section


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the host, seen in the sandbox. Only the algorithm's own folder may hold programs."""

    source: str
    target: str
    read_only: bool = True
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """A volume in memory, with a size (bytes) and a number of files: rootless output and logs."""

    target: str
    size_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Everything that config.json says.

    Attributes
    ----------
    rootfs
        Absolute path of the unpacked image; never written.
    uid, gid
        User and group inside, in root mode; numbers that no account of the host has.
    cgroups_path
        ``linux.cgroupsPath``; None if this user may not make control groups.
    rootless
        The host's (uid, gid) that the sandbox's user 0 is; None in root mode.
    processes
        RLIMIT_NPROC, if no control group limits processes.
    """

    rootfs: str
    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    binds: tuple[Bind, ...]
    machine: str
    tmpfs: tuple[Tmpfs, ...] = ()
    uid: int = 0
    gid: int = 0
    cgroups_path: str | None = None
    rootless: tuple[int, int] | None = None
    processes: int | None = None
    file_bytes: int = 1 << 30
    open_files: int = 1024
    tmp_bytes: int = 64 << 20
    tmp_files: int = 4096
    shm_bytes: int = 16 << 20


_MASKED = (
    "acpi", "asound", "buddyinfo", "bus", "cmdline", "config.gz", "diskstats", "driver", "interrupts", "iomem",
    "ioports", "kallsyms", "kcore", "key-users", "keys", "kmsg", "latency_stats", "mdstat", "modules", "mtrr",
    "pagetypeinfo", "partitions", "pressure", "sched_debug", "schedstat", "scsi", "slabinfo", "softirqs", "swaps",
    "timer_list", "timer_stats", "tty", "version", "version_signature", "vmallocinfo", "vmstat", "zoneinfo",
)  # fmt: skip
_READ_ONLY = ("fs", "irq", "sys", "sysrq-trigger")


def config_json(sandbox: Sandbox) -> dict[str, Any]:
    """Return the whole ``config.json`` of a sandbox."""
    return {
        "ociVersion": "1.0.2",
        "process": _process(sandbox),
        "root": {"path": sandbox.rootfs, "readonly": True},
        "hostname": "sandbox",
        "mounts": _mounts(sandbox),
        "linux": _linux(sandbox),
    }


def _process(sandbox: Sandbox) -> dict[str, Any]:
    # Inside a user namespace with one id, user 0 is only the caller, and still has no capability.
    uid, gid = (0, 0) if sandbox.rootless else (sandbox.uid, sandbox.gid)
    limits = {"RLIMIT_NOFILE": sandbox.open_files, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": sandbox.file_bytes}
    if sandbox.processes is not None:
        limits["RLIMIT_NPROC"] = sandbox.processes
    sets = ("bounding", "effective", "inheritable", "permitted", "ambient")
    return {
        "terminal": False,
        "user": {"uid": uid, "gid": gid},
        "args": list(sandbox.argv),
        "env": [f"{name}={value}" for name, value in sorted(sandbox.environment.items())],
        "cwd": sandbox.cwd,
        "capabilities": {name: [] for name in sets},
        "rlimits": [{"type": name, "hard": value, "soft": value} for name, value in limits.items()],
        "noNewPrivileges": True,
        "oomScoreAdj": 500,
    }


def _mounts(sandbox: Sandbox) -> list[dict[str, Any]]:
    fixed = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        _tmpfs("/dev", 65536, 64, "mode=755", "strictatime", "noexec"),
        _tmpfs("/dev/shm", sandbox.shm_bytes, 1024, "mode=1777", "nodev", "noexec"),  # noqa: S108
        _tmpfs("/tmp", sandbox.tmp_bytes, sandbox.tmp_files, "mode=1777", "nodev"),  # noqa: S108
        # A tmpfs on /mnt, before the volumes: the runtime makes their mount points in it, not in the shared image.
        _tmpfs("/mnt", 65536, 64 + 2 * len(sandbox.binds), "mode=755", "nodev", "noexec", "ro"),
    ]
    volumes = [_tmpfs(t.target, t.size_bytes, t.files, "mode=700", "nodev", "noexec") for t in sandbox.tmpfs]
    return fixed + [_bind(bind) for bind in sandbox.binds] + volumes


def _tmpfs(target: str, size: int, files: int, *options: str) -> dict[str, Any]:
    sizes = [f"size={size}", f"nr_inodes={files}"]
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", *options, *sizes]}


def _bind(bind: Bind) -> dict[str, Any]:
    # "bind", never "rbind": otherwise a mount nested in an input would come along and stay writable.
    options = ["bind", "ro" if bind.read_only else "rw", "nosuid", "nodev", "rprivate"]
    if not bind.executable:
        options.append("noexec")
    return {"destination": bind.target, "type": "bind", "source": bind.source, "options": options}


def _linux(sandbox: Sandbox) -> dict[str, Any]:
    kinds = ["pid", "ipc", "uts", "mount", "network"]
    linux: dict[str, Any] = {
        "maskedPaths": [f"/proc/{name}" for name in _MASKED],
        "readonlyPaths": [f"/proc/{name}" for name in _READ_ONLY],
        "seccomp": seccomp_section(sandbox.machine),
    }
    if sandbox.cgroups_path is not None:
        kinds.append("cgroup")
        linux["cgroupsPath"] = sandbox.cgroups_path
        if not sandbox.rootless:  # only root may add the rule, and a user namespace opens no device without it
            linux["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    if sandbox.rootless:
        kinds.append("user")
        uid, gid = sandbox.rootless
        linux["uidMappings"] = [{"containerID": 0, "hostID": uid, "size": 1}]
        linux["gidMappings"] = [{"containerID": 0, "hostID": gid, "size": 1}]
    linux["namespaces"] = [{"type": kind} for kind in kinds]
    return linux
