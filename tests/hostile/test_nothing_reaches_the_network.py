"""No packet leaves: not over TCP, UDP, raw sockets, the kernel's own families, nor a socket of the host."""

import os
import socket

import pytest

from tests.hostile.attempts import tried
from tests.ports.runtime.runtime_place import Place, only_oci

FAMILIES = """
kinds = {
    "inet": (socket.AF_INET, socket.SOCK_STREAM), "inet udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "inet6": (socket.AF_INET6, socket.SOCK_STREAM), "raw": (socket.AF_INET, socket.SOCK_RAW),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW), "netlink": (socket.AF_NETLINK, socket.SOCK_RAW),
    "vsock": (40, socket.SOCK_STREAM), "alg": (38, socket.SOCK_SEQPACKET), "bluetooth": (31, socket.SOCK_RAW),
}
for kind, (family, form) in kinds.items():
    found[kind] = attempt(lambda: socket.socket(family, form).close())
found["pair"] = call(53, 199, socket.AF_INET, socket.SOCK_STREAM, 0, ctypes.create_string_buffer(8))
"""


@only_oci("a pod has a network namespace without a way out, and the default filter of its runtime leaves sockets")
async def test_no_family_but_the_local_one_opens(place: Place) -> None:
    found = await tried(place, FAMILIES)
    assert set(found.values()) == {"EAFNOSUPPORT"}, found


async def test_names_are_not_resolved(place: Place) -> None:
    found = await tried(place, "try:\n    found['dns'] = socket.getaddrinfo('example.org', 80)\nexcept OSError: pass\n")
    assert found == {}


async def test_only_loopback_exists(place: Place) -> None:
    source = "found['devices'] = [l.split(':')[0].strip() for l in open('/proc/net/dev') if ':' in l]\n"
    assert (await tried(place, source))["devices"] == ["lo"]


async def test_an_abstract_socket_of_the_host_is_out_of_reach_and_own_ones_work(place: Place) -> None:
    name = f"insitu-hostile-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen()
        found = await tried(
            place,
            f"""
theirs = socket.socket(socket.AF_UNIX)
found["host"] = attempt(lambda: theirs.connect("\\0{name}"))
mine = socket.socket(socket.AF_UNIX)
mine.bind("\\0mine")
mine.listen()
found["own"] = attempt(lambda: socket.socket(socket.AF_UNIX).connect("\\0mine"))
""",
        )
    assert found == {"host": "ECONNREFUSED", "own": "ok"}


@pytest.mark.parametrize("where", ["stream", "pair"])
async def test_local_sockets_between_own_processes_work(place: Place, where: str) -> None:
    source = "a, b = socket.socketpair()\na.send(b'x')\nfound['got'] = b.recv(1).decode()\n"
    assert (await tried(place, source))["got"] == "x", where
