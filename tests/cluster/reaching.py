"""Who reaches whom: a pod with the labels of another tries every address, and says which took its connection."""

import json
import secrets
from collections.abc import Mapping

from tests.cluster.fixtures import ClusterAccess

PROBE = """
import json, socket, sys
def taken(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError:
        return False
    return True
print(json.dumps([name for name, address in json.loads(sys.argv[1]).items() if taken(address)]))
"""


def probe(access: ClusterAccess, namespace: str, labels: Mapping[str, str], image: str, addresses: str) -> str:
    """Start a pod with these labels; it is never ready, so that no Service sends anything to it. Returns its name."""
    name = f"probe-{secrets.token_hex(4)}"
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
    container = {
        "name": "probe",
        "image": image,
        "command": ["python3", "-I", "-S", "-c", PROBE, addresses],
        "securityContext": confined,
        "readinessProbe": {"exec": {"command": ["ls", "/nowhere"]}},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }
    access.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    return name


def reached(access: ClusterAccess, namespace: str, name: str) -> set[str]:
    """Wait for a probe's end; return what it reached, and delete it."""
    pod = (f"--namespace={namespace}", f"pod/{name}")
    access.kubectl("wait", *pod, "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
    found = json.loads(access.kubectl("logs", *pod).stdout)
    access.kubectl("delete", *pod, "--wait=false")
    return set(found)
