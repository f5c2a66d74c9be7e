"""Pods that listen and that try to reach others: who is who on the network of a cluster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images

PORT = 8030

LISTENING = """\
import asyncio, sys
async def copied(source, sink):
    while piece := await source.read(65536):
        sink.write(piece)
        await sink.drain()
    sink.close()
async def met(reader, writer):
    if len(sys.argv) > 1:
        other = await asyncio.open_connection(*sys.argv[1].split(":"))
        await asyncio.gather(copied(reader, other[1]), copied(other[0], writer), return_exceptions=True)
    writer.close()
async def main():
    async with await asyncio.start_server(met, "0.0.0.0", 8030) as server:
        await server.serve_forever()
asyncio.run(main())
"""
"""Accepts whoever comes; with an address, passes everything on to it."""

TRYING = """\
import concurrent.futures, json, socket, sys
QUESTION = bytes.fromhex("494e01000001000000000000") + b"\\nkubernetes\\7default\\3svc\\7cluster\\5local\\0\\0\\1\\0\\1"
def tried(target):
    kind, host, port = target.rsplit(":", 2)
    try:
        if kind == "tcp":
            socket.create_connection((host, int(port)), timeout=4).close()
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(4)
                asking.sendto(QUESTION, (host, int(port)))
                asking.recv(512)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
def reached(targets):
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        return [name for name, there in zip(targets, pool.map(tried, targets.values())) if there]
"""
"""Defines ``reached``: of named targets (``tcp:host:port``, ``udp:host:port`` for a question to a name server) those
that answered, be it with a refusal."""


@dataclass(frozen=True)
class Someone:
    """A pod that listens on port 8030."""

    access: ClusterAccess
    namespace: str
    name: str

    @property
    def address(self) -> str:
        """The pod's own address."""
        found = self.access.kubectl(
            "get", "pod", self.name, f"--namespace={self.namespace}", "-o", "jsonpath={.status.podIP}"
        )
        return found.stdout

    def reaches(self, targets: Mapping[str, str]) -> set[str]:
        """Try all targets from inside the pod; return the names of those that answered."""
        program = f"{TRYING}print(json.dumps(reached(json.loads(sys.argv[1]))))"
        words = ("exec", f"--namespace={self.namespace}", self.name, "--", "python3", "-c", program)
        return set(json.loads(self.access.kubectl(*words, json.dumps(targets)).stdout))


def someone(
    access: ClusterAccess,
    images: Images,
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    *,
    node: str | None = None,
    passes_on_to: str | None = None,
) -> Someone:
    """Start a pod of the restricted level; with ``passes_on_to`` (``host:port``) it stands for whoever is there."""
    container = {
        "name": "main",
        "image": f"{access.registry}/{images.pods.name}@{images.pods.digest}",
        "command": ["python3", "-c", LISTENING, *([passes_on_to] if passes_on_to else [])],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 0,
        "dnsConfig": {"options": [{"name": "timeout", "value": "2"}, {"name": "attempts", "value": "2"}]},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        **({"nodeName": node} if node else {}),
    }
    meta = {"name": name, "namespace": namespace, "labels": labels}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    access.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    return Someone(access, namespace, name)
