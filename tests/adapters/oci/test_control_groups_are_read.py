"""Both versions of control groups: found, limited, counted, removed. Folders stand in for what this machine lacks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.cgroups import (
    Cgroups,
    Counters,
    GroupLimits,
    Hierarchy,
    find_cgroups,
    find_delegated,
    read_counters,
)

LIMITS = GroupLimits(memory_bytes=256 << 20, cpu_millis=1500, pids=64)


def mountinfo(*mounts: tuple[Path, str, str]) -> str:
    lines = [
        f"{n} 1 0:{n} / {path} rw,relatime - {kind} {kind} rw{opts}" for n, (path, kind, opts) in enumerate(mounts)
    ]
    return "22 27 0:21 / /proc rw,relatime - proc proc rw\n" + "\n".join(lines) + "\n"


def test_hybrid_machines_use_version_1(tmp_path: Path) -> None:
    names = ("memory", "cpu", "pids", "unified")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "unified" / "cgroup.controllers").write_text("\n")
    mounts = [(tmp_path / name, "cgroup", f",{name}") for name in names[:3]]
    found = find_cgroups(mountinfo(*mounts, (tmp_path / "unified", "cgroup2", "")), "insitu/x")
    assert found is not None
    assert found.version == 1
    assert [sorted(hierarchy.controllers) for hierarchy in found.hierarchies] == [["memory"], ["cpu"], ["pids"], []]


def test_unified_machines_use_version_2_and_say_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory\n")
    found = find_cgroups(mountinfo((tmp_path, "cgroup2", "")), "insitu/x")
    assert found is not None
    assert found.version == 2
    group = tmp_path / "insitu" / "x" / "in-1"
    group.mkdir(parents=True)
    for name in ("memory.max", "cpu.max"):
        (group / name).touch()
    found.create("in-1", LIMITS)
    assert found.enforced_on("in-1", LIMITS) == {"memory": "cgroup", "cpu": "cgroup", "pids": "none"}
    (group / "memory.max").write_text("max\n")
    assert found.enforced_on("in-1", LIMITS)["memory"] == "none", "read back, not believed"


def delegated(mount: Path, *groups: str) -> None:
    """Imitate systemd: create groups with the files that a user may write, each a folder of version 2."""
    for name in groups:
        (mount / name).mkdir(parents=True)
        for file in ("cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.swap.max", "cpu.max", "pids.max"):
            (mount / name / file).touch()
        (mount / name / "cgroup.controllers").write_text("cpu memory pids\n")


def test_without_root_the_highest_group_that_systemd_delegated_is_divided(tmp_path: Path) -> None:
    user = "user.slice/user-1000.slice/user@1000.service"
    delegated(tmp_path, user, f"{user}/app.slice", f"{user}/app.slice/insitu.service")
    found = find_delegated(mountinfo((tmp_path, "cgroup2", "")), f"0::/{user}/app.slice/insitu.service\n", "insitu/x")
    assert found is not None
    assert found.top == user, "what is above it belongs to root"
    delegated(tmp_path, f"{user}/insitu", f"{user}/insitu/x", f"{user}/insitu/x/in-1")
    found.create("in-1", LIMITS)
    assert found.enforced_on("in-1", LIMITS) == {"memory": "cgroup", "cpu": "cgroup", "pids": "cgroup"}
    assert (tmp_path / user / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert not (tmp_path / "user.slice" / "cgroup.subtree_control").exists(), "nothing above is touched"
    assert found.path_for_runtime("in-1") == f"/{user}/insitu/x/in-1/c"


def test_a_unit_that_divides_its_group_moves_out_of_it_first(tmp_path: Path) -> None:
    unit = "system.slice/insitu.service"
    delegated(tmp_path, unit)
    (tmp_path / unit / "cgroup.procs").write_text("4711\n")
    found = find_delegated(mountinfo((tmp_path, "cgroup2", "")), f"0::/{unit}\n", "insitu/x")
    assert found is not None
    delegated(tmp_path, f"{unit}/insitu", f"{unit}/insitu/x", f"{unit}/insitu/x/in-1")
    found.create("in-1", LIMITS)
    assert (tmp_path / unit / "insitu-service" / "cgroup.procs").read_text() == "4711"


def test_nothing_is_delegated_beside_version_1_or_to_a_session_of_root(tmp_path: Path) -> None:
    delegated(tmp_path, "unit")
    one, two = (tmp_path, "cgroup2", ""), (tmp_path / "memory", "cgroup", ",memory")
    assert find_delegated(mountinfo(one, two), "0::/unit\n", "insitu/x") is None
    assert find_delegated(mountinfo(one), "3:memory:/unit\n", "insitu/x") is None
    assert find_delegated(mountinfo(one), "0::/\n", "insitu/x") is None
    (tmp_path / "session-1.scope").mkdir()
    assert find_delegated(mountinfo(one), "0::/session-1.scope\n", "insitu/x") is None


def test_without_any_hierarchy_there_are_none() -> None:
    assert find_cgroups(mountinfo(), "insitu/x") is None


def test_version_2_hands_controllers_down_and_limits_the_parent(tmp_path: Path) -> None:
    groups = Cgroups(2, (Hierarchy(tmp_path, frozenset({"cpu", "memory", "pids", "io"})),), "insitu/x")
    group = tmp_path / "insitu" / "x" / "in-1"
    group.mkdir(parents=True)
    for name in ("memory.max", "memory.swap.max", "cpu.max", "pids.max"):
        (group / name).touch()
    groups.create("in-1", LIMITS)
    for above in (tmp_path, tmp_path / "insitu", tmp_path / "insitu" / "x", group):
        assert (above / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (group / "memory.max").read_text() == str(256 << 20)
    assert (group / "memory.swap.max").read_text() == "0"
    assert (group / "cpu.max").read_text() == "150000 100000"
    assert (group / "pids.max").read_text() == "64"
    assert groups.path_for_runtime("in-1") == "/insitu/x/in-1/c"


def test_version_1_limits_each_tree(tmp_path: Path) -> None:
    trees = tuple(Hierarchy(tmp_path / name, frozenset({name})) for name in ("memory", "cpu", "pids"))
    groups = Cgroups(1, trees, "insitu/x")
    wanted = {
        "memory/memory.limit_in_bytes": str(256 << 20),
        "memory/memory.memsw.limit_in_bytes": str(256 << 20),
        "cpu/cpu.cfs_quota_us": "150000",
        "pids/pids.max": "64",
    }
    for path in wanted:
        tree, _, name = path.partition("/")
        (tmp_path / tree / "insitu" / "x" / "in-1").mkdir(parents=True, exist_ok=True)
        (tmp_path / tree / "insitu" / "x" / "in-1" / name).touch()
    groups.create("in-1", LIMITS)
    for path, value in wanted.items():
        tree, _, name = path.partition("/")
        assert (tmp_path / tree / "insitu" / "x" / "in-1" / name).read_text() == value


def test_a_tiny_share_is_raised_to_what_the_kernel_accepts(tmp_path: Path) -> None:
    groups = Cgroups(2, (Hierarchy(tmp_path, frozenset({"cpu"})),), "x")
    (tmp_path / "x" / "in-1").mkdir(parents=True)
    (tmp_path / "x" / "in-1" / "cpu.max").touch()
    groups.create("in-1", GroupLimits(memory_bytes=1, cpu_millis=1, pids=1))
    assert (tmp_path / "x" / "in-1" / "cpu.max").read_text() == "1000 100000"


@pytest.mark.parametrize(
    ("texts", "counters"),
    [
        ({}, Counters()),
        (
            {
                "cpu_nanoseconds": "1971000000\n",
                "memory_peak": "77594624\n",
                "memory_events": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
                "memory_events_child": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
                "pids_events": "max 0\n",
                "pids_events_child": "max 3\n",
            },
            Counters(1.971, 77594624, 1, 3),
        ),
        (
            {
                "cpu_stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 3\n",
                "memory_peak": "1048576\n",
                "memory_events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n",
                "pids_events": "max 5\n",
                "pids_events_child": None,
            },
            Counters(1.5, 1048576, 2, 5),
        ),
        ({"memory_peak": "max\n", "cpu_stat": "garbage", "pids_events": "max many\n"}, Counters()),
    ],
    ids=["nothing", "version 1", "version 2", "garbage"],
)
def test_counters_are_read(texts: dict[str, str | None], counters: Counters) -> None:
    assert read_counters(texts) == counters


@pytest.mark.needs("root")
def test_real_groups_are_created_killed_and_removed(tmp_path: Path) -> None:
    import subprocess

    text = Path("/proc/self/mountinfo").read_text()
    base = f"insitu-test/{tmp_path.name}"
    groups = find_cgroups(text, base)
    if groups is None:
        pytest.skip("no control groups are mounted here")
    groups.create("in-1", LIMITS)
    assert groups.names() == {"in-1"}
    hierarchy = next(h for h in groups.hierarchies if (h.mount / base / "in-1").exists())
    with subprocess.Popen(["sleep", "60"]) as process:
        (hierarchy.mount / base / "in-1" / "cgroup.procs").write_text(str(process.pid))
        assert groups.pids("in-1") == {process.pid}
        assert groups.kill("in-1")
        process.wait()
    groups.remove("in-1")
    groups.remove("in-1")
    assert groups.names() == frozenset()
    assert not any((h.mount / base).exists() for h in groups.hierarchies)


@pytest.mark.needs("root")
def test_neighbours_that_come_and_go_do_not_take_each_others_groups_away(tmp_path: Path) -> None:
    text = Path("/proc/self/mountinfo").read_text()
    if find_cgroups(text, "insitu-test/any") is None:
        pytest.skip("no control groups are mounted here")

    def come_and_go(number: int) -> None:
        groups = find_cgroups(text, f"insitu-test/{tmp_path.name}-{number}")
        assert groups is not None
        for _ in range(40):
            groups.create("in-1", LIMITS)
            for hierarchy in groups.hierarchies:  # what the OCI runtime does next
                (hierarchy.mount / groups.base / "in-1" / "c").mkdir()
            groups.remove("in-1")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(come_and_go, range(3)))
