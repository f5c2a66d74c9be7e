"""config.json has everything that seals, whatever the plan asks for."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.adapters.runtime.oci.bundle import Bind, Sandbox, Tmpfs, config_json
from insitu.adapters.runtime.oci.seccomp import ARCHITECTURES, seccomp_section
from insitu.domain.errors import InsituError

PLAIN = Sandbox(
    rootfs="/images/rootfs",
    argv=("python", "main.py"),
    cwd="/mnt/transformations/1",
    environment={"PATH": "/usr/bin"},
    binds=(Bind("/runs/in/1", "/mnt/volume1"), Bind("/runs/output/data", "/mnt/output", read_only=False)),
    machine="x86_64",
    uid=1_900_000_001,
    gid=1_900_000_000,
    cgroups_path="/insitu/x/c",
)
ROOTLESS = dataclasses.replace(
    PLAIN,
    cgroups_path=None,
    rootless=(1000, 1000),
    processes=64,
    tmpfs=(Tmpfs("/mnt/output", 1 << 20, 100),),
    binds=PLAIN.binds[:1],
)


def mount(config: dict[str, Any], target: str) -> dict[str, Any]:
    found: dict[str, Any] = next(m for m in config["mounts"] if m["destination"] == target)
    return found


@pytest.mark.parametrize("sandbox", [PLAIN, ROOTLESS], ids=["root", "rootless"])
def test_there_is_no_right_no_terminal_and_no_network_but_lo(sandbox: Sandbox) -> None:
    config = config_json(sandbox)
    process = config["process"]
    assert set(process["capabilities"]) == {"bounding", "effective", "inheritable", "permitted", "ambient"}
    assert not any(process["capabilities"].values())
    assert process["noNewPrivileges"] is True
    assert process["terminal"] is False
    assert config["root"]["readonly"] is True
    kinds = {namespace["type"] for namespace in config["linux"]["namespaces"]}
    assert {"pid", "ipc", "uts", "mount", "network"} <= kinds
    assert all("path" not in namespace for namespace in config["linux"]["namespaces"])
    assert "/sys" not in {m["destination"] for m in config["mounts"]}
    assert "hooks" not in config


def test_root_mode_runs_as_a_user_that_nobody_is_in_the_group_of_every_algorithm() -> None:
    config = config_json(PLAIN)
    assert config["process"]["user"] == {"uid": 1_900_000_001, "gid": 1_900_000_000}
    assert config["linux"]["cgroupsPath"] == "/insitu/x/c"
    assert config["linux"]["resources"]["devices"] == [{"allow": False, "access": "rwm"}]
    assert {"type": "user"} not in config["linux"]["namespaces"]
    assert "RLIMIT_NPROC" not in {limit["type"] for limit in config["process"]["rlimits"]}


def test_rootless_mode_maps_one_id_and_limits_processes() -> None:
    config = config_json(ROOTLESS)
    assert config["linux"]["uidMappings"] == [{"containerID": 0, "hostID": 1000, "size": 1}]
    assert {"type": "user"} in config["linux"]["namespaces"]
    assert "cgroupsPath" not in config["linux"]
    limits = {limit["type"]: limit["hard"] for limit in config["process"]["rlimits"]}
    assert limits["RLIMIT_NPROC"] == 64
    assert "RLIMIT_AS" not in limits, "it would end the runtime's own start"
    assert {"size=1048576", "nr_inodes=100", "noexec"} <= set(mount(config, "/mnt/output")["options"])


def test_the_volumes_come_after_the_tmpfs_that_holds_their_mount_points() -> None:
    order = [m["destination"] for m in config_json(PLAIN)["mounts"]]
    assert order.index("/mnt") < order.index("/mnt/volume1") < order.index("/mnt/output")
    assert "ro" in mount(config_json(PLAIN), "/mnt")["options"]


targets = st.sampled_from(["/mnt/volume1", "/mnt/inputs/1/x", "/mnt/transformations/1"])
binds = st.builds(Bind, st.text(min_size=1), targets, st.booleans(), st.booleans())


@given(st.lists(binds), st.dictionaries(st.text(), st.text()), st.lists(st.text(), min_size=1))
def test_no_bind_carries_nested_mounts_or_devices_and_every_config_is_json(
    some: list[Bind], environment: dict[str, str], argv: list[str]
) -> None:
    sandbox = dataclasses.replace(PLAIN, binds=tuple(some), environment=environment, argv=tuple(argv))
    config = json.loads(json.dumps(config_json(sandbox)))
    made = [m for m in config["mounts"] if m["type"] == "bind"]
    assert len(made) == len(some)
    for bind, written in zip(some, made, strict=True):
        options = set(written["options"])
        assert {"bind", "nosuid", "nodev", "rprivate"} <= options
        assert "rbind" not in options
        assert ("ro" in options) == bind.read_only
        assert ("noexec" in options) != bind.executable


def names(section: dict[str, Any], action: str) -> set[str]:
    rules = (rule for rule in section["syscalls"] if rule["action"] == action and "args" not in rule)
    return {name for rule in rules for name in rule["names"]}


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_denied_calls_are_not_allowed_and_calls_that_programs_need_are(machine: str) -> None:
    section = seccomp_section(machine)
    allowed, denied = names(section, "SCMP_ACT_ALLOW"), names(section, "SCMP_ACT_ERRNO")
    assert not allowed & denied
    assert {"read", "write", "openat", "execve", "mmap", "futex", "exit_group", "wait4"} <= allowed
    assert {"mount", "unshare", "setns", "ptrace", "bpf", "keyctl", "io_uring_setup", "open_by_handle_at"} <= denied
    assert not allowed & {"clone", "clone3", "socket", "socketpair", "mknod", "mknodat"}, "ruled by their arguments"
    assert section["architectures"] == [ARCHITECTURES[machine]]
    assert section["defaultAction"] == "SCMP_ACT_ERRNO"


def test_calls_of_x86_are_not_named_elsewhere() -> None:
    assert "arch_prctl" not in names(seccomp_section("aarch64"), "SCMP_ACT_ALLOW")
    assert "arch_prctl" in names(seccomp_section("x86_64"), "SCMP_ACT_ALLOW")


def test_clone_is_allowed_only_without_any_namespace() -> None:
    rules = [r for r in seccomp_section("x86_64")["syscalls"] if r["names"] == ["clone"]]
    allowed = [r for r in rules if r["action"] == "SCMP_ACT_ALLOW"]
    assert [(a["value"], a["valueTwo"]) for r in allowed for a in r["args"]] == [(0x7E020000, 0)]
    refused = {a["valueTwo"] for r in rules if r["action"] == "SCMP_ACT_ERRNO" for a in r["args"]}
    assert sum(refused) == 0x7E020000


def test_an_unknown_machine_gets_no_sandbox_at_all() -> None:
    with pytest.raises(InsituError, match="no system-call filter") as caught:
        seccomp_section("riscv64")
    assert caught.value.code == "RuntimeUnavailable"
