"""Control groups, version 1 and 2: limits on a group of ours, counters read from it and from the container's child.

The runtime makes the container's own group ``c`` inside ours. The limits are set on ours, so that no setting of the
runtime can loosen them, and both can be read after the exit.
"""

import errno
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHILD = "c"
_SERVICE = "insitu-service"
_PERIOD_MICROSECONDS = 100_000
_SIGKILL = 9


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Limits of one group: bytes, thousandths of a core, number of processes and threads."""

    memory_bytes: int
    cpu_millis: int
    pids: int


@dataclass(frozen=True, slots=True)
class Counters:
    """What the kernel counted, in seconds and bytes; None for what it does not report."""

    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    oom_kills: int = 0
    pids_refused: int = 0


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted cgroup tree and the controllers that are bound to it (none: it only groups)."""

    mount: Path
    controllers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The groups below ``base`` (a relative path) in every hierarchy of this machine.

    ``version`` is 1 if memory, cpu and pids are version-1 controllers (also on hybrid machines), else 2. ``top`` is the
    version-2 group that was delegated to a user without root, who may divide it but nothing above it.
    """

    version: int
    hierarchies: tuple[Hierarchy, ...]
    base: str
    top: str = ""

    def path_for_runtime(self, name: str) -> str:
        """Return ``linux.cgroupsPath`` of config.json: the child of the group ``name``."""
        return f"/{self.base}/{name}/{CHILD}"

    def create(self, name: str, limits: GroupLimits) -> None:
        """Make the group and set its limits; harmless if it exists. Raises ``OSError``.

        It is made in every hierarchy, even if that limits nothing: the runtime will use them all, and a neighbour that
        ends may remove an empty base at any moment.
        """
        for hierarchy in self.hierarchies:
            group = hierarchy.mount / self.base / name
            _make_group(group)
            if self.version == 2:
                if self.top:
                    _vacate(hierarchy.mount / self.top)
                _delegate(hierarchy, hierarchy.mount / self.top, group)
            for setting, value in _settings(self.version, hierarchy, limits).items():
                if (group / setting).exists():
                    _write(group / setting, value)

    def enforced_on(self, name: str, limits: GroupLimits) -> dict[str, str]:
        """Read back which limits the kernel has accepted: limit → ``cgroup`` or ``none``."""
        found = dict.fromkeys(("memory", "cpu", "pids"), "none")
        for hierarchy in self.hierarchies:
            group = hierarchy.mount / self.base / name
            wanted = _settings(self.version, hierarchy, limits)
            for limit, setting in _MAIN_SETTING[self.version].items():
                if setting in wanted and _read_words(group / setting) == wanted[setting].split():
                    found[limit] = "cgroup"
        return found

    def counter_files(self, name: str) -> dict[str, str]:
        """Return label → path of every counter that :func:`read_counters` understands."""
        found = {}
        for hierarchy in self.hierarchies:
            group = hierarchy.mount / self.base / name
            for label, (controller, path) in _COUNTERS[self.version].items():
                if controller in hierarchy.controllers:
                    found[label] = str(group / path)
        return found

    def folders(self, name: str) -> list[str]:
        """Return every folder that a run of this name may have made, the deepest first."""
        groups = [hierarchy.mount / self.base / name for hierarchy in self.hierarchies]
        return [str(group / CHILD) for group in groups] + [str(group) for group in groups]

    def names(self) -> frozenset[str]:
        """Return the names of the groups below the base."""
        names: set[str] = set()
        for hierarchy in self.hierarchies:
            with suppress(FileNotFoundError):
                names.update(entry.name for entry in os.scandir(hierarchy.mount / self.base) if entry.is_dir())
        return frozenset(names)

    def pids(self, name: str) -> frozenset[int]:
        """Return the processes in the group or below it."""
        found: set[int] = set()
        for hierarchy in self.hierarchies:
            for group in _below(hierarchy.mount / self.base / name):
                with suppress(FileNotFoundError, OSError):
                    found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
        return frozenset(found)

    def kill(self, name: str, patience_seconds: float = 5.0) -> bool:
        """Kill every process of the group until none is left; return whether that succeeded within the patience."""
        until = time.monotonic() + patience_seconds
        while found := self.pids(name):
            if time.monotonic() > until:
                return False
            for hierarchy in self.hierarchies:
                with suppress(OSError):
                    _write(hierarchy.mount / self.base / name / "cgroup.kill", "1")
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, _SIGKILL)
            time.sleep(0.002)
        return True

    def remove(self, name: str, patience_seconds: float = 5.0) -> None:
        """Kill what is in the group and remove it, and the base with the last group. Raises ``OSError`` if that fails.

        Version 1 has a tree per controller, and a runtime that was just killed may have been filling them.
        """
        until = time.monotonic() + patience_seconds
        while True:
            try:
                return self._remove(name)
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > until:
                    raise
            self.kill(name, patience_seconds)
            time.sleep(0.002)

    def _remove(self, name: str) -> None:
        for hierarchy in self.hierarchies:
            for group in sorted(_below(hierarchy.mount / self.base / name), reverse=True):
                with suppress(FileNotFoundError):
                    group.rmdir()
            for above in (hierarchy.mount / self.base, (hierarchy.mount / self.base).parent):
                with suppress(OSError):  # another run may be using it, another may have removed it
                    above.rmdir()


def find_cgroups(mountinfo: str, base: str) -> Cgroups | None:
    """Find the hierarchies in the text of /proc/self/mountinfo; None if this user may not make groups."""
    mounts = _mounts(mountinfo)
    first = [hierarchy for kind, hierarchy in mounts if kind == "cgroup"]
    second = [hierarchy for kind, hierarchy in mounts if kind == "cgroup2"]
    version = 1 if any(h.controllers for h in first) else 2
    hierarchies = (*first, *second) if version == 1 else tuple(second)
    writable = tuple(h for h in hierarchies if os.access(h.mount, os.W_OK))
    if not writable:
        return None
    return Cgroups(version, writable, base)


def find_delegated(mountinfo: str, membership: str, base: str) -> Cgroups | None:
    """Find the highest group above this process that its user may divide: systemd delegates it to units and users.

    ``membership`` is the text of /proc/self/cgroup. None if there is no such group, or version 1 is in use, which
    cannot be delegated safely (kernel, cgroup-v2.rst, "Delegation").
    """
    mounts = _mounts(mountinfo)
    own = next((line[3:] for line in membership.splitlines() if line.startswith("0::/")), None)
    if own is None or len(mounts) != 1 or mounts[0][0] != "cgroup2":
        return None
    mount, found = mounts[0][1].mount, None
    place = mount / own.lstrip("/")
    while place != mount and all(
        os.access(place / name, os.W_OK) for name in ("", "cgroup.procs", "cgroup.subtree_control")
    ):
        found, place = place, place.parent
    if found is None:
        return None
    top = str(found.relative_to(mount))
    controllers = frozenset(_read_words(found / "cgroup.controllers"))
    return Cgroups(2, (Hierarchy(mount, controllers),), f"{top}/{base}", top)


def read_counters(texts: Mapping[str, str | None]) -> Counters:
    """Read the texts of :meth:`Cgroups.counter_files`, as the monitor kept them."""
    nanoseconds = _number(texts.get("cpu_nanoseconds"))
    microseconds = _flat(texts.get("cpu_stat")).get("usage_usec")
    cpu = nanoseconds / 1e9 if nanoseconds is not None else None
    if microseconds is not None:
        cpu = microseconds / 1e6
    kills = [_flat(texts.get(label)).get("oom_kill", 0) for label in ("memory_events", "memory_events_child")]
    refused = [_flat(texts.get(label)).get("max", 0) for label in ("pids_events", "pids_events_child")]
    return Counters(cpu, _number(texts.get("memory_peak")), max(kills), max(refused))


def _mounts(mountinfo: str) -> list[tuple[str, Hierarchy]]:
    """Return the mounted hierarchies, each with its kind of file system."""
    found = []
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        if not separator:
            continue
        mount = Path(left.split(" ")[4])
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            controllers = frozenset(options.split(" ")[-1].split(",")) & _VERSION_1
            found.append((kind, Hierarchy(mount, controllers)))
        elif kind == "cgroup2":
            found.append((kind, Hierarchy(mount, frozenset(_read_words(mount / "cgroup.controllers")))))
    return found


_MAIN_SETTING: Mapping[int, Mapping[str, str]] = {
    1: {"memory": "memory.limit_in_bytes", "cpu": "cpu.cfs_quota_us", "pids": "pids.max"},
    2: {"memory": "memory.max", "cpu": "cpu.max", "pids": "pids.max"},
}
_VERSION_1 = frozenset({"memory", "cpu", "cpuacct", "pids"})

# Version 1 counts an OOM kill and a refused fork where the process was, in the child; version 2 counts upwards.
_COUNTERS: Mapping[int, Mapping[str, tuple[str, str]]] = {
    1: {
        "cpu_nanoseconds": ("cpuacct", "cpuacct.usage"),
        "memory_peak": ("memory", "memory.max_usage_in_bytes"),
        "memory_events": ("memory", "memory.oom_control"),
        "memory_events_child": ("memory", f"{CHILD}/memory.oom_control"),
        "pids_events": ("pids", "pids.events"),
        "pids_events_child": ("pids", f"{CHILD}/pids.events"),
    },
    2: {
        "cpu_stat": ("cpu", "cpu.stat"),
        "memory_peak": ("memory", "memory.peak"),
        "memory_events": ("memory", "memory.events"),
        "pids_events": ("pids", "pids.events"),
        "pids_events_child": ("pids", f"{CHILD}/pids.events"),
    },
}


def _settings(version: int, hierarchy: Hierarchy, limits: GroupLimits) -> dict[str, str]:
    memory, pids = str(limits.memory_bytes), str(limits.pids)
    quota = max(limits.cpu_millis * _PERIOD_MICROSECONDS // 1000, 1000)
    if version == 1:
        settings = {
            "memory": {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory},
            "cpu": {"cpu.cfs_period_us": str(_PERIOD_MICROSECONDS), "cpu.cfs_quota_us": str(quota)},
            "pids": {"pids.max": pids},
        }
    else:
        settings = {
            "memory": {"memory.max": memory, "memory.swap.max": "0"},
            "cpu": {"cpu.max": f"{quota} {_PERIOD_MICROSECONDS}"},
            "pids": {"pids.max": pids},
        }
    return {name: value for c in sorted(hierarchy.controllers) for name, value in settings.get(c, {}).items()}


def _make_group(group: Path) -> None:
    """Make the group and the folders above it, even if a neighbour removes the empty base at the same moment."""
    for _ in range(10):
        # FileExistsError: the neighbour removed it after mkdir had found it, and before pathlib looked.
        with suppress(FileNotFoundError, FileExistsError):
            group.mkdir(parents=True, exist_ok=True)
            return
    group.mkdir(parents=True, exist_ok=True)


def _vacate(group: Path) -> None:
    """Move the processes of a unit with ``Delegate=`` down: a group that hands controllers down holds none itself."""
    for pid in _read_words(group / "cgroup.procs"):
        (group / _SERVICE).mkdir(exist_ok=True)
        with suppress(OSError):  # it has ended; a process that stays shows when the limits are read back
            _write(group / _SERVICE / "cgroup.procs", pid)


def _delegate(hierarchy: Hierarchy, top: Path, group: Path) -> None:
    """Hand controllers down: version 2 gives a controller to children only if every group above it does."""
    words = " ".join(f"+{c}" for c in sorted(hierarchy.controllers & {"cpu", "memory", "pids"}))
    if not words:
        return
    above = [p for p in reversed(group.parents) if p == top or top in p.parents]
    for folder in [*above, group]:
        with suppress(OSError):  # a group with processes cannot hand down; reading back shows what holds
            _write(folder / "cgroup.subtree_control", words)


def _below(group: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(group):
        yield Path(folder)


def _write(path: Path, value: str) -> None:
    with path.open("w") as file:
        file.write(value)


def _read_words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else None


def _flat(text: str | None) -> dict[str, int]:
    """Read a flat-keyed file: ``name number`` per line."""
    pairs = (line.split() for line in (text or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
