"""Namespaces of the cluster for tests, and what is left in one."""

import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import anyio

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.testbed.layout import ROOT

DEFINITION = ROOT / "deploy" / "kustomize" / "base" / "workflowexecutions.json"
RECORDS = "insitu-records"
KINDS = "pods,persistentvolumeclaims,secrets,configmaps"
NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata:
  name: NAME
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: latest
"""


def claim_of_folder(access: ClusterAccess, namespace: str, folder: Path) -> str:
    """A claim on a folder of this machine, made beforehand as a provider would; return its name."""
    name = f"data-{secrets.token_hex(4)}"
    common = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**common, "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}},
    }
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            **common,
            "capacity": {"storage": "1Gi"},
            "claimRef": {"namespace": namespace, "name": name},
            "hostPath": {"path": str(folder), "type": "Directory"},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    }
    access.kubectl("apply", "-f", "-", stdin=json.dumps(volume) + "\n---\n" + json.dumps(claim))
    return name


def way_out(namespace: str, name: str, pods: Mapping[str, object], host: str, *ports: int) -> dict[str, object]:
    """A policy by which pods, chosen by a label selector, reach ports of an address outside the cluster."""
    ways = {"to": [{"ipBlock": {"cidr": f"{host}/32"}}], "ports": [{"port": port, "protocol": "TCP"} for port in ports]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": pods, "policyTypes": ["Egress"], "egress": [ways]},
    }


def install_records(access: ClusterAccess) -> None:
    """Install the custom resource and wait until it is served."""
    access.kubectl("apply", "-f", str(DEFINITION))
    access.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/workflowexecutions.insitu.internal")


def empty_store(access: ClusterAccess) -> Path:
    """A namespace without records; return the kubeconfig that reaches it."""
    install_records(access)
    make_namespace(access, RECORDS)
    access.kubectl("delete", "workflowexecutions,secrets", "--all", f"--namespace={RECORDS}")
    return access.kubeconfig


def make_namespace(access: ClusterAccess, name: str) -> None:
    """Make a namespace of the restricted level, and wait for the account that pods run under."""
    access.kubectl("apply", "-f", "-", stdin=NAMESPACE.replace("NAME", name))
    account = ("get", "serviceaccount", "default", f"--namespace={name}")
    deadline = time.monotonic() + 30
    while access.kubectl(*account, check=False).returncode != 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the namespace {name} has no account")
        time.sleep(0.1)


async def objects_left(access: ClusterAccess, namespace: str, seconds: float = 15.0) -> list[str]:
    """What is left of executions, once the cluster's own clean-up had its moment."""
    deadline = time.monotonic() + seconds
    while (found := _ours(access, namespace)) and time.monotonic() < deadline:  # noqa: ASYNC110 (looked at from outside)
        await anyio.sleep(0.1)
    return found


def _ours(access: ClusterAccess, namespace: str) -> list[str]:
    listed = access.kubectl(
        "get", KINDS, f"--namespace={namespace}", "-l", "app.kubernetes.io/managed-by=insitu", "-o", "json"
    )
    found = [f"{each['kind']} {each['metadata']['name']}" for each in json.loads(listed.stdout)["items"]]
    volumes = json.loads(access.kubectl("get", "persistentvolumes", "-o", "json").stdout)["items"]
    for volume in volumes:
        claim = volume["spec"].get("claimRef", {})
        if claim.get("namespace") == namespace and not claim["name"].startswith("data-"):
            found.append(f"PersistentVolume {volume['metadata']['name']} of {claim['name']}")
    return found
