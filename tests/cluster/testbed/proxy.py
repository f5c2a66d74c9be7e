"""kube-proxy on each node: Services have addresses that work, from pods and from this machine.

It works with nftables: all of it is in two tables of its own name, which are deleted whole. Of the kernel it needs no
module that is not compiled in: connection tracking, NAT, masquerading, ``fib``, ``numgen``, ``reject``. The limits of
connection tracking are the machine's and are left alone (all zero); writing them needs more than root here has.
"""

import subprocess
import textwrap

from tests.cluster.testbed.binaries import component, nft
from tests.cluster.testbed.layout import POD_NETWORK, Layout, NodeAddress
from tests.cluster.testbed.processes import Processes

TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))


class ForeignProxyError(RuntimeError):
    """This machine has Services already: it is a node of somebody's cluster, or a testbed's folder was deleted."""


def start_proxy(node: NodeAddress, layout: Layout, processes: Processes) -> None:
    """Start the proxy of a node; the node must be known to the API server. Raises ``ForeignProxyError``."""
    name, mark = f"{node.name}-kube-proxy", layout.node(node) / "kube-proxy.yaml"
    if not mark.exists():
        _refuse_foreign(node)
    wanted = _configuration(node, layout)
    if not mark.exists() or mark.read_text() != wanted:  # it watches this file, and ends when somebody writes it
        mark.write_text(wanted)
    command = [component("kube-proxy"), f"--config={mark}"]
    processes.start(name, command, node=node, env={"PATH": f"{nft().parent}:/usr/sbin:/usr/bin:/sbin:/bin"})


def remove_tables(node: NodeAddress, layout: Layout) -> None:
    """Delete what a proxy of this testbed made in the machine's own namespace; another namespace takes its with it."""
    if node.namespace is None and (layout.node(node) / "kube-proxy.yaml").exists():
        for family, table in TABLES:
            subprocess.run([nft(), "delete", "table", family, table], check=False, capture_output=True)


def _refuse_foreign(node: NodeAddress) -> None:
    if node.namespace is not None:
        return
    listed = subprocess.run([nft(), "list", "tables"], check=True, capture_output=True, text=True).stdout
    for family, table in TABLES:
        if f"table {family} {table}\n" in listed:
            raise ForeignProxyError(
                f"nftables has a table {family} {table} that this testbed did not make; if no cluster of yours "
                f"needs it: nft delete table {family} {table}"
            )


def _configuration(node: NodeAddress, layout: Layout) -> str:
    return textwrap.dedent(f"""\
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        mode: nftables
        clientConnection: {{kubeconfig: {layout.work / "kubeconfig-nodes"}}}
        clusterCIDR: {POD_NETWORK}
        hostnameOverride: {node.name}
        bindAddress: {node.ip}
        healthzBindAddress: {node.ip}:10256
        metricsBindAddress: {node.ip}:10249
        nodePortAddresses: [{node.ip}/32]
        nftables: {{syncPeriod: 30s, minSyncPeriod: 100ms}}
        conntrack:
          {{maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s, udpTimeout: 0s,
            udpStreamTimeout: 0s}}
        """)


__all__ = ["ForeignProxyError", "remove_tables", "start_proxy"]
