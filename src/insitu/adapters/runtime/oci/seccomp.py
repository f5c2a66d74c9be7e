"""The system-call filter of a sealed algorithm, built from the data file ``seccomp.json``.

The filter is a load-bearing wall: without it an algorithm can open user namespaces, key rings, io_uring and AF_VSOCK,
and a network namespace does not confine AF_VSOCK.
"""

import errno
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any

from insitu.domain.errors import InsituError

ARCHITECTURES: Mapping[str, str] = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
"""The name of ``uname -m`` → libseccomp's. Only the native one is listed: 32-bit and x32 calls kill (SIGSYS)."""

_NAMESPACE_FLAGS = {
    "CLONE_NEWNS": 0x00020000,
    "CLONE_NEWCGROUP": 0x02000000,
    "CLONE_NEWUTS": 0x04000000,
    "CLONE_NEWIPC": 0x08000000,
    "CLONE_NEWUSER": 0x10000000,
    "CLONE_NEWPID": 0x20000000,
    "CLONE_NEWNET": 0x40000000,
}
_ALL_NAMESPACES = 0x7E020000
_AF_UNIX = 1
_FILE_TYPE = 0o170000
_FIFO = 0o010000
_REGULAR = 0o100000
_DEVICES = (0o020000, 0o060000)


@cache
def seccomp_section(machine: str) -> dict[str, Any]:
    """Return the ``linux.seccomp`` section of config.json for a machine (``uname -m``).

    Raises ``RuntimeUnavailable`` for a machine without a list: without the filter there is no sandbox.
    """
    if machine not in ARCHITECTURES:
        raise InsituError("RuntimeUnavailable", f"there is no system-call filter for {machine}")
    lists = json.loads(files("insitu.adapters.runtime.oci").joinpath("seccomp.json").read_text("utf-8"))
    x86 = machine == "x86_64"
    allowed = _names(lists["allow"]) + (_names(lists["allow_x86_64"]) if x86 else [])
    denied = _names(lists["deny"]) + (_names(lists["deny_x86_64"]) if x86 else [])
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "architectures": [ARCHITECTURES[machine]],
        "syscalls": [
            {"names": allowed, "action": "SCMP_ACT_ALLOW"},
            _refuse(denied, errno.EPERM),
            *_clone_rules(),
            *_socket_rules(),
            *_mknod_rules(x86=x86),
        ],
    }


def _names(topics: dict[str, list[str]]) -> list[str]:
    return sorted(chain.from_iterable(topics.values()))


def _refuse(names: list[str], number: int) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": number}


def _masked(index: int, mask: int, value: int) -> list[dict[str, Any]]:
    return [{"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}]


def _clone_rules() -> list[dict[str, Any]]:
    # clone3 hides its flags in memory, where a filter cannot look. ENOSYS makes the C library fall back to clone.
    allow = {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": _masked(0, _ALL_NAMESPACES, 0)}
    refused = [_refuse(["clone"], errno.EPERM) | {"args": _masked(0, f, f)} for f in _NAMESPACE_FLAGS.values()]
    return [allow, *refused, _refuse(["clone3"], errno.ENOSYS)]


def _socket_rules() -> list[dict[str, Any]]:
    names = ["socket", "socketpair"]
    local = {"index": 0, "value": _AF_UNIX, "op": "SCMP_CMP_EQ"}
    other = {"index": 0, "value": _AF_UNIX, "op": "SCMP_CMP_NE"}
    return [
        {"names": names, "action": "SCMP_ACT_ALLOW", "args": [local]},
        _refuse(names, errno.EAFNOSUPPORT) | {"args": [other]},
    ]


def _mknod_rules(*, x86: bool) -> list[dict[str, Any]]:
    # Named pipes and empty files are harmless (the collector leaves pipes behind); devices are refused.
    calls = {"mknodat": 2} | ({"mknod": 1} if x86 else {})
    rules: list[dict[str, Any]] = []
    for name, index in calls.items():
        allow = {"names": [name], "action": "SCMP_ACT_ALLOW"}
        refuse = _refuse([name], errno.EPERM)
        rules += [allow | {"args": _masked(index, _FILE_TYPE, kind)} for kind in (_FIFO, _REGULAR)]
        rules += [refuse | {"args": _masked(index, _FILE_TYPE, kind)} for kind in _DEVICES]
    return rules
