"""Network policies are enforced: a process beside the cluster, as the agent of a network plugin is.

It watches policies, namespaces and pods, and keeps an nftables table on each node (``policy_rules``). A network plugin
of its own, chained behind the one that makes the cable, tells it each new pod's address and waits until the rules hold:
no program of a pod runs before. When it is dead no pod with a network starts, and the rules that are there stay.

``python -m tests.cluster.testbed.policies SOCKET`` with KUBECONFIG.
"""

import contextlib
import faulthandler
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import SocketStream
from lightkube import ApiError, AsyncClient
from lightkube.models.core_v1 import Pod as PodModel
from lightkube.resources.core_v1 import Namespace, Pod
from lightkube.resources.networking_v1 import NetworkPolicy

from tests.cluster.testbed.binaries import nft, tool
from tests.cluster.testbed.layout import NODE1, NODE2, Layout, NodeAddress
from tests.cluster.testbed.policy_rules import TABLE, PodPlace, Rules

PLUGIN = "insitu-policies"
_ENDED = ("Succeeded", "Failed")
_KINDS: tuple[Any, ...] = (Namespace, NetworkPolicy, Pod)

log = logging.getLogger("policies")


def plugin_program(socket: Path, node: NodeAddress) -> str:
    """Return the network plugin as a program: it hands on what the plugin before it said, once the rules hold."""
    return f"""\
#!{sys.executable} -IS
import json, os, socket, sys
given = json.load(sys.stdin)
command = os.environ["CNI_COMMAND"]
if command == "VERSION":
    print('{{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}}')
if command == "ADD":
    names = dict(each.split("=", 1) for each in os.environ["CNI_ARGS"].split(";"))
    address = given["prevResult"]["ips"][0]["address"].partition("/")[0]
    pod = [names["K8S_POD_NAMESPACE"], names["K8S_POD_NAME"], address, {node.name!r}]
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(20)
            agent.connect({str(socket)!r})
            agent.sendall(json.dumps(pod).encode() + b"\\n")
            said = agent.recv(1000).decode()
    except OSError as error:
        said = f"the agent of network policies does not answer: {{error}}"
    if said != "enforced":
        print(json.dumps({{"cniVersion": "0.4.0", "code": 11, "msg": said or "the agent hung up"}}))
        sys.exit(1)
    print(json.dumps(given["prevResult"]))
"""


class Agent:
    """Keeps the tables; in one thread, because the client's decoder crashes in two."""

    def __init__(self, client: AsyncClient) -> None:
        self._client: Any = client
        self._seen: dict[Any, dict[str, Any]] = {}
        self._attached: dict[str, str] = {}
        """Address by uid, as the network plugin told it: before the API server knows it."""
        self._complete = anyio.Event()
        self._applied: dict[str, tuple[int, str]] = {}

    async def run(self, socket: Path) -> None:
        """Work until killed."""
        async with anyio.create_task_group() as tasks:
            for kind in _KINDS:
                tasks.start_soon(self._follow, kind)
            await self._complete.wait()
            listener = await anyio.create_unix_listener(socket)
            await listener.serve(self._attach)

    async def _follow(self, kind: Any) -> None:
        where = {} if kind is Namespace else {"namespace": "*"}
        while True:
            try:
                listed = self._client.list(kind, **where)
                self._seen[kind] = {each.metadata.uid: each async for each in listed}
                self._apply()
                async for event, found in self._client.watch(kind, resource_version=listed.resourceVersion, **where):
                    self._note(kind, event, found)
                    self._apply()
            except (ApiError, httpx2.HTTPError, OSError, subprocess.CalledProcessError) as error:
                log.info("%s: listing again: %s", kind.__name__, error)
                await anyio.sleep(0.2)

    def _note(self, kind: Any, event: str, found: Any) -> None:
        if event == "DELETED":
            self._seen[kind].pop(found.metadata.uid, None)
            self._attached.pop(found.metadata.uid, None)
        else:
            self._seen[kind][found.metadata.uid] = found

    async def _attach(self, stream: SocketStream) -> None:
        """Answer the network plugin: enforce what holds for a pod that is about to start."""
        async with stream:
            line = b""
            while not line.endswith(b"\n"):
                line += await stream.receive()
            namespace, name, address, node = json.loads(line)
            try:
                found = await self._client.get(Pod, name, namespace=namespace)
                for uid in [uid for uid, old in self._attached.items() if old == address]:
                    del self._attached[uid]
                found.spec.nodeName = node
                self._seen[Pod][found.metadata.uid] = found
                self._attached[found.metadata.uid] = address
                self._apply()
                said = "enforced"
            except (ApiError, httpx2.HTTPError, OSError, subprocess.CalledProcessError) as error:
                log.exception("%s/%s", namespace, name)
                said = f"no rules for {namespace}/{name}: {error}"
            with contextlib.suppress(anyio.BrokenResourceError):
                await stream.send(said.encode())

    def _apply(self) -> None:
        """Replace the tables that change. Raises ``CalledProcessError``."""
        if len(self._seen) < len(_KINDS):
            return
        self._complete.set()
        namespaces = {each.metadata.name: each.metadata.labels or {} for each in self._seen[Namespace].values()}
        rules = Rules(list(self._places()), namespaces, list(self._seen[NetworkPolicy].values()))
        for node in (NODE1, NODE2):
            place = Path("/proc/self/ns/net") if node.namespace is None else Path("/run/netns", node.namespace)
            if not place.exists():
                continue
            wanted = (place.stat().st_ino, rules.table(node))
            if self._applied.get(node.name) != wanted:
                subprocess.run([*_inside(node), nft(), "-f", "-"], input=wanted[1], text=True, check=True)
                self._applied[node.name] = wanted

    def _places(self) -> "list[PodPlace]":
        taken = set(self._attached.values())
        places = []
        for uid, pod in self._seen[Pod].items():
            if pod.spec.hostNetwork or (pod.status is not None and pod.status.phase in _ENDED):
                continue
            address = self._attached.get(uid)
            if address is None and pod.status is not None and pod.status.podIP not in taken:
                address = pod.status.podIP
            if address is not None and not address.startswith("127."):
                labels: Mapping[str, str] = pod.metadata.labels or {}
                places.append(
                    PodPlace(uid, pod.metadata.namespace, labels, address, pod.spec.nodeName or "", _named(pod))
                )
        return places


def remove_table(layout: Layout) -> None:
    """Delete the table of the machine's own namespace, if this testbed made one."""
    if layout.policies.exists():
        subprocess.run([nft(), "delete", "table", "ip", TABLE], check=False, capture_output=True)


def _inside(node: NodeAddress) -> list[str]:
    return [] if node.namespace is None else [str(tool("nsenter")), f"--net=/run/netns/{node.namespace}"]


def _named(pod: PodModel) -> dict[str, tuple[str, int]]:
    assert pod.spec is not None
    ports = (port for container in pod.spec.containers for port in container.ports or [])
    return {port.name: ((port.protocol or "TCP").lower(), port.containerPort) for port in ports if port.name}


if __name__ == "__main__":
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    anyio.run(Agent(AsyncClient()).run, Path(sys.argv[1]))
