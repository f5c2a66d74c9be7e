"""Proof of the walls: a pod like a Compute Pod tries to get out, and to write past its volume."""

import json
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import anyio
from lightkube.models.core_v1 import (
    Container,
    EnvVar,
    EnvVarSource,
    ObjectFieldSelector,
    PersistentVolumeClaimVolumeSource,
    PodDNSConfig,
    PodDNSConfigOption,
    ResourceRequirements,
    Volume,
    VolumeMount,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolumeClaim, Pod

from insitu.adapters.kubernetes import GROUP, Cluster, ConflictError, RefusedError
from insitu.adapters.runtime.kubernetes.binding import Binding
from insitu.adapters.runtime.kubernetes.claims import claim
from insitu.adapters.runtime.kubernetes.configuration import Placement
from insitu.adapters.runtime.kubernetes.names import ROLE
from insitu.adapters.runtime.kubernetes.sealing import MAIN, literal, pod_spec, sealed, tmp
from insitu.domain.errors import InsituError
from insitu.ports.runtime import Enforcement

PROBE = f"{GROUP}/probe"
_LABELS = {PROBE: "true", ROLE: "compute", "app.kubernetes.io/managed-by": "insitu"}
_BYTES = 16 << 20
_SECONDS = 90.0
_LOOK_AGAIN = 0.2
_OUTSIDE = ("1.1.1.1:443", "8.8.8.8:53", "169.254.169.254:80", "$(KUBERNETES_SERVICE_HOST):443")
_NODE = ("10250", "6443", "22")
_REQUESTS, _LIMITS = {"cpu": "50m", "memory": "64Mi"}, {"cpu": "500m", "memory": "256Mi"}
_ANSWERS = ("open", "refused")


async def probe_cluster(cluster: Cluster, placement: Placement, binding: Binding) -> Enforcement:
    """Run the probe and return what is enforced; a wall that does not hold is a refusal. It leaves nothing behind.

    Raises ``InsituError`` if nothing could be found out.
    """
    runtime = f"kubernetes {await cluster.version()}"
    try:
        findings = await _run(cluster, placement, binding)
    except (ConflictError, RefusedError) as error:
        refusal = f"the cluster does not take a pod like a Compute Pod: {error}"
        return Enforcement(runtime, {}, (refusal,), code="IsolationNotEnforced")
    except TimeoutError as error:
        message = f"a pod like a Compute Pod did not run in time, so nothing is proved: {error}"
        raise InsituError("InfrastructureFailed", message) from error
    limits, refusals = judge_findings(findings, placement)
    return Enforcement(runtime, limits, refusals, code="IsolationNotEnforced")


def judge_findings(found: Mapping[str, Any], placement: Placement) -> tuple[dict[str, str], tuple[str, ...]]:
    """Turn the findings of the pod into the limits that hold and the reasons to refuse executions."""
    refusals = []
    reached = sorted(target for target, result in found["reached"].items() if result in _ANSWERS)
    if reached:
        refusals.append(
            f"a Compute Pod reaches {', '.join(reached)}; use a RuntimeClass without network, "
            "or a network plugin that enforces the default-deny NetworkPolicy"
        )
    if found["disk"] not in ("ENOSPC", "EDQUOT"):
        refusals.append(
            f"a volume of the storage class {placement.storage_class or 'default'} took more "
            "than its size; use a class that enforces it"
        )
    opened = [name for name, bad in _doors(found).items() if bad]
    if opened:
        refusals.append(f"a Compute Pod has {', '.join(opened)}")
    alone = found["devices"] == ["lo"]
    limits = {
        "cpu": "cgroup",
        "memory": "cgroup",
        "disk": "none" if found["disk"] == "ok" else "volume",
        "network": "none" if reached else "no device" if alone else "policy",
        "pids": "none" if found["threads"] >= 1024 else "cgroup",
        "syscalls": "seccomp" if found["seccomp"] else "none",
    }
    return limits, tuple(refusals)


def _doors(found: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "root": found["uid"] == 0,
        "capabilities": found["capabilities"] != 0,
        "ways to new privileges": not found["no_new_privileges"],
        "unfiltered system calls": not found["seccomp"],
        "writable system folders": bool(found["writable"]),
        "a token of the cluster": found["token"],
    }


async def _run(cluster: Cluster, placement: Placement, binding: Binding) -> Mapping[str, Any]:
    await _sweep(cluster)
    name = f"probe-{secrets.token_hex(4)}"
    try:
        await cluster.create(claim(ObjectMeta(name=name, labels=_LABELS), _BYTES, placement))
        await binding.wait({PROBE: "true"}, {name})
        await cluster.create(_pod(name, placement, await _gateway(placement.gateway_url)))
        with anyio.move_on_after(_SECONDS):
            return await _findings(cluster, name)
        raise TimeoutError(await _hindrance(cluster, name))
    finally:
        with anyio.CancelScope(shield=True):
            await cluster.delete(Pod, name, grace=1)
            await cluster.delete(PersistentVolumeClaim, name)


async def _sweep(cluster: Cluster) -> None:
    """Delete what a killed probe left behind."""
    kinds: tuple[type[Any], ...] = (Pod, PersistentVolumeClaim)
    for kind in kinds:
        for found in await cluster.list(kind, {PROBE: "true"}):
            await cluster.delete(kind, found.metadata.name)


async def _findings(cluster: Cluster, name: str) -> Mapping[str, Any]:
    while True:
        pod = await cluster.get(Pod, name)
        status = pod.status if pod is not None else None
        for container in (status.containerStatuses if status is not None else None) or []:
            if container.state is not None and container.state.terminated is not None:
                end = container.state.terminated
                if end.exitCode != 0 or not end.message:
                    raise InsituError(
                        "InfrastructureFailed", f"the probe failed: {end.reason}, exit code {end.exitCode}"
                    )
                found: Mapping[str, Any] = json.loads(end.message)
                return found
        if status is not None and status.phase == "Failed":
            raise InsituError("InfrastructureFailed", f"the probe did not run: {status.reason}: {status.message}")
        # This is rare and short; a watch for one pod would cost more than a few looks.
        await anyio.sleep(_LOOK_AGAIN)


async def _hindrance(cluster: Cluster, name: str) -> str:
    """Return what keeps the pod from running, in the words of the cluster."""
    pod = await cluster.get(Pod, name)
    status = pod.status if pod is not None else None
    if status is None:
        return "it is gone"
    held = [item.message for item in status.conditions or [] if item.status == "False" and item.message]
    waiting = (item.state.waiting for item in status.containerStatuses or [] if item.state is not None)
    held += [f"{item.reason}: {item.message or ''}" for item in waiting if item is not None]
    return "; ".join(held)[:500] or f"it is {status.phase}"


async def _gateway(address: str) -> list[str]:
    """Return the gateway's addresses as well as its name: a pod that cannot resolve names could still connect."""
    url = urlsplit(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    targets = [f"{url.hostname}:{port}"]
    try:
        found = await anyio.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        return targets  # only pods know this name, so the probe tries the name itself
    addresses = (str(place[4][0]) for place in found)
    targets += [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in addresses]
    return list(dict.fromkeys(targets))


def _pod(name: str, placement: Placement, gateway: list[str]) -> Pod:
    program = files(__package__).joinpath("probe_program.py").read_text("utf-8")
    targets = [*gateway, *_OUTSIDE, *(f"$(NODE_ADDRESS):{port}" for port in _NODE)]
    container = Container(
        name=MAIN,
        image=placement.pods.reference,
        imagePullPolicy="IfNotPresent",
        command=["python3", "-I", "-c", literal(program)],
        env=[
            EnvVar("NODE_ADDRESS", valueFrom=EnvVarSource(fieldRef=ObjectFieldSelector("status.hostIP"))),
            EnvVar("PROBE_BYTES", str(4 * _BYTES)),
            EnvVar("PROBE_MESSAGE", "/dev/termination-log"),
            EnvVar("PROBE_TARGETS", " ".join(targets)),
        ],
        resources=ResourceRequirements(limits=_LIMITS, requests=_REQUESTS),
        securityContext=sealed(),
        volumeMounts=[VolumeMount(name="output", mountPath="/mnt/output", subPath="output"), tmp()],
    )
    output = Volume(name="output", persistentVolumeClaim=PersistentVolumeClaimVolumeSource(claimName=name))
    deadline = datetime.now(UTC) + timedelta(seconds=_SECONDS)
    spec = pod_spec(placement, container, [output], deadline, grace=1)
    spec.runtimeClassName = placement.runtime_class
    spec.nodeSelector = dict(placement.node_selector) or None
    # A Compute Pod has no name server; the probe has one, and so learns which servers an algorithm could ask.
    # If it reaches none, its resolver waits one second instead of ten for each domain that it tries.
    spec.dnsPolicy = "ClusterFirst"
    spec.dnsConfig = PodDNSConfig(options=[PodDNSConfigOption("timeout", "1"), PodDNSConfigOption("attempts", "1")])
    return Pod(metadata=ObjectMeta(name=name, labels=_LABELS), spec=spec)
