"""The bridge that gives the nodes their addresses, and the second node's network namespace."""

import subprocess
from pathlib import Path

from tests.cluster.testbed.binaries import tool
from tests.cluster.testbed.layout import BRIDGE, NODE1, NODE2, SERVICE_NETWORK, Layout, NodeAddress

FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
VETH_HOST, VETH_NODE = "insitu-n2h", "insitu-n2n"


def ip(*words: str, check: bool = True) -> bool:
    """Call ``ip``; with ``check=False`` tell whether it succeeded."""
    done = subprocess.run([tool("ip"), *words], check=check, capture_output=True, text=True)
    return done.returncode == 0


def forward(layout: Layout) -> None:
    """Let this machine pass packets on, as a node must; note what it did before."""
    before = layout.work / "ip_forward"
    if not before.exists():
        before.write_text(FORWARD.read_text())
    FORWARD.write_text("1")


def forward_as_before(layout: Layout) -> None:
    """Take back what ``forward`` changed."""
    before = layout.work / "ip_forward"
    if before.exists() and before.read_text() != FORWARD.read_text():
        FORWARD.write_text(before.read_text())


def bridge_up() -> None:
    """Make the bridge with the first node's address; the kubelet wants one that is not loopback."""
    if ip("link", "show", BRIDGE, check=False):
        return
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("addr", "add", f"{NODE1.ip}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")
    # Before a Service's address is translated it needs a route; without this it would be the machine's default one.
    ip("route", "add", SERVICE_NETWORK, "dev", BRIDGE, "src", NODE1.ip)


def namespace_up(node: NodeAddress = NODE2) -> None:
    """Make the second node's namespace and join it to the bridge."""
    if node.namespace is None or ip("netns", "exec", node.namespace, "true", check=False):
        return
    ip("netns", "add", node.namespace)
    ip("link", "add", VETH_HOST, "type", "veth", "peer", "name", VETH_NODE)
    ip("link", "set", VETH_HOST, "master", BRIDGE, "up")
    ip("link", "set", VETH_NODE, "netns", node.namespace)
    for words in (
        ("addr", "add", f"{node.ip}/24", "dev", VETH_NODE),
        ("link", "set", VETH_NODE, "up"),
        ("link", "set", "lo", "up"),
        ("route", "add", "default", "via", NODE1.ip),
    ):
        ip("-n", node.namespace, *words)
    # The host answers pods of that node; the route goes with the bridge.
    ip("route", "add", node.pods, "via", node.ip, "dev", BRIDGE)


def cut(node: NodeAddress = NODE2) -> None:
    """Take the node off the network, as if its cable were pulled."""
    ip("link", "set", VETH_HOST, "down")


def mend(node: NodeAddress = NODE2) -> None:
    """Put the node back on the network."""
    ip("link", "set", VETH_HOST, "up")


def remove() -> None:
    """Delete every device and namespace that this module or the nodes' network plugins made."""
    if NODE2.namespace is not None:
        ip("netns", "del", NODE2.namespace, check=False)
    for device in (VETH_HOST, BRIDGE):
        ip("link", "del", device, check=False)
