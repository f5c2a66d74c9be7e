"""The whole cluster: up, down, and what tests do to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.testbed import binaries, dns, network
from tests.cluster.testbed.control_plane import NAMES, api_answers, start_control_plane, write_access
from tests.cluster.testbed.disk import require_room
from tests.cluster.testbed.layout import API_PORT, NODE1, NODE2, REGISTRY_PORT, ROOT, Layout, NodeAddress
from tests.cluster.testbed.node import LO_ONLY, Node
from tests.cluster.testbed.pause import write_pause_image
from tests.cluster.testbed.pki import write_pki
from tests.cluster.testbed.policies import remove_table
from tests.cluster.testbed.processes import Processes
from tests.cluster.testbed.provisioner import STORAGE_CLASSES
from tests.cluster.testbed.proxy import remove_tables, start_proxy
from tests.cluster.testbed.sweep import sweep

PROVISIONER, POLICIES = "provisioner", "policies"
RUNTIME_CLASS = f"""\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {{name: {LO_ONLY}}}
handler: {LO_ONLY}
"""


class Cluster:
    """One test cluster on this machine. There can be one at a time, for its ports and devices are fixed."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()
        self.processes = Processes(self.layout)
        self.nodes = {address.name: Node(address, self.layout) for address in (NODE1, NODE2)}

    def up(self, *, second_node: bool = False) -> None:
        """Bring the cluster up, or back up; returns when a pod can be started."""
        if os.geteuid() != 0:
            raise PermissionError("the test cluster needs root: a kubelet makes mounts and control groups")
        if not self.processes.running("kube-apiserver") and listening(API_PORT):
            raise RuntimeError(f"somebody else listens on port {API_PORT}: another test cluster of this machine?")
        require_room(self.layout.work)
        binaries.build()
        write_pki(self.layout.pki)
        write_access(self.layout)
        network.forward(self.layout)
        network.bridge_up()
        self._start_registry()
        start_control_plane(self.layout, self.processes)
        self._start_agent(POLICIES, self.layout.policies)
        self.start_node(NODE1)
        if second_node:
            network.namespace_up()
            self.start_node(NODE2)
        self.apply(f"{RUNTIME_CLASS}---\n{STORAGE_CLASSES}---\n{dns.MANIFEST}")
        self.layout.volumes.mkdir(exist_ok=True)
        self._start_agent(PROVISIONER, self.layout.volumes)
        self._wait(lambda: api_answers(self.layout, "/api/v1/namespaces/default/serviceaccounts/default"))
        self.kubectl(*dns.READY)

    def start_node(self, address: NodeAddress) -> None:
        """Start a node and wait until it is ready."""
        node = self.nodes[address.name]
        node.configure()
        node.start_containerd(self.processes)
        for name, write in (("pause", write_pause_image), ("coredns", dns.write_dns_image)):
            archive = self.layout.work / f"{name}.tar"
            write(archive)
            node.import_image(archive)
        node.start_kubelet(self.processes)
        self._wait(lambda: self.is_ready(address.name))
        start_proxy(address, self.layout, self.processes)

    def down(self) -> None:
        """End every process and delete everything: rules, mounts, devices, control groups, folders."""
        if not self.layout.work.exists():
            return  # What is there belongs to another folder's testbed.
        if api_answers(self.layout, "/readyz") if self.layout.kubeconfig.exists() else False:
            everywhere = ("--all", "--all-namespaces", "--timeout=30s", "--grace-period=1")
            self.kubectl("delete", "pods", *everywhere, check=False)
        names = self.processes.names()
        for name in [PROVISIONER, *(one for one in names if one.endswith(("kubelet", "kube-proxy"))), POLICIES, *NAMES]:
            self.processes.stop(name)
        for name in [one for one in self.processes.names() if one.endswith("containerd")]:
            self._end_containers(self.nodes[name.removesuffix("-containerd")])
            self.processes.stop(name)
        for name in self.processes.names():
            self.processes.stop(name)
        remove_table(self.layout)
        remove_tables(NODE1, self.layout)
        network.remove()
        network.forward_as_before(self.layout)
        sweep(self.layout.work, [str(NODE2.namespace), "kubepods"])

    def is_ready(self, name: str) -> bool:
        """Tell whether the node accepts pods."""
        path = "{.status.conditions[?(@.type=='Ready')].status}"
        done = self.kubectl("get", "node", name, "-o", f"jsonpath={path}", check=False)
        return done.stdout == "True"

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Call kubectl as the administrator."""
        command = [binaries.component("kubectl"), f"--kubeconfig={self.layout.kubeconfig}", *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=check)

    def apply(self, manifest: str) -> None:
        """Apply a manifest."""
        self.kubectl("apply", "-f", "-", stdin=manifest)

    def crash(self, name: str) -> None:
        """Kill a process of the cluster (``kube-apiserver``, ``node1-kubelet`` …) as a power cut would."""
        self.processes.kill(name, signal.SIGKILL)

    def _start_registry(self) -> None:
        config = self.layout.work / "registry.yml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(
            "version: 0.1\n"
            f"storage: {{filesystem: {{rootdirectory: {self.layout.registry}}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '0.0.0.0:{REGISTRY_PORT}'}}\n"
        )
        self.processes.start("registry", [binaries.tool("docker-registry"), "serve", config])

    def _start_agent(self, name: str, place: Path) -> None:
        command = [sys.executable, "-m", f"tests.cluster.testbed.{name}", place]
        env = {"KUBECONFIG": str(self.layout.kubeconfig), "PYTHONPATH": str(ROOT)}
        self.processes.start(name, command, env=env)

    def _end_containers(self, node: Node) -> None:
        ctr = [str(binaries.tool("ctr")), "--address", str(node.socket), "--namespace", "k8s.io"]
        listed = subprocess.run([*ctr, "tasks", "ls", "-q"], capture_output=True, text=True, check=False).stdout.split()
        for task in listed:
            subprocess.run([*ctr, "tasks", "rm", "-f", task], capture_output=True, check=False)

    def _wait(self, ready: Callable[[], bool], seconds: float = 90.0) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                tails = "\n".join(f"--- {name}\n{self.processes.tail(name)}" for name in self.processes.names())
                raise TimeoutError(f"the cluster did not become ready:\n{tails}")
            time.sleep(0.1)


def listening(port: int) -> bool:
    """Tell whether somebody accepts connections on a port of this machine."""
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def cluster_folder() -> Path:
    """Return the folder of the cluster of this machine."""
    return Layout().work
