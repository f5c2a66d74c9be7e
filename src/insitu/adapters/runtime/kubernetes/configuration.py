"""What a provider says about a cluster: where steps run, on which storage, behind which walls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

SANDBOX_UID = 1_900_000_000
"""User and group of every step: above every range that distributions or clusters hand out."""


@dataclass(frozen=True, slots=True)
class PodImage:
    """The project's own image, in which configure and publish run.

    Attributes
    ----------
    reference
        ``registry/repository@sha256:…``.
    command
        Starts ``insitu pod``; its arguments follow.
    """

    reference: str
    command: tuple[str, ...] = ("python3", "-m", "insitu", "pod")


@dataclass(frozen=True, slots=True)
class Placement:
    """How steps are placed on the cluster.

    Attributes
    ----------
    pods
        The image of configure and publish.
    gateway_url
        Where configure and publish find the gateway.
    registry
        Put before the name of an image that names no registry.
    registries
        Addresses of the registries to ask for a digest before anything starts; None: that of ``registry``.
    storage_class
        Makes the volumes. Their size must be enforced: the probe writes past it.
    runtime_class
        RuntimeClass of Compute Pods (gVisor, Kata, a class without network); None: the cluster's default.
    uid
        User and group of every step.
    stop_grace
        Seconds between asking an algorithm to end and killing it; a kubelet gives at least two.
    pending
        Seconds after which we give up a pod that cannot be scheduled or started.
    node_loss
        Seconds after which we give up a pod on a node that does not answer.
    node_selector
        Labels of the nodes for Compute Pods.
    gpu_resource
        Name of the resource for devices.
    proof_seconds
        How old the proof of the walls may be when an algorithm starts. The engine renews it every day; this limit
        applies if that fails.
    owned
        Whether executions are custom resources of the same namespace; then these own what belongs to them.
    """

    pods: PodImage
    gateway_url: str
    registry: str
    storage_class: str | None
    registries: tuple[str, ...] | None = None
    runtime_class: str | None = None
    uid: int = SANDBOX_UID
    stop_grace: int = 2
    pending: int = 300
    node_loss: int = 30
    node_selector: Mapping[str, str] = field(default_factory=dict)
    gpu_resource: str = "nvidia.com/gpu"
    proof_seconds: int = 25 * 3600
    owned: bool = False


def asked_registries(placement: Placement) -> tuple[str, ...]:
    """The addresses of the registries to ask for a digest. As for nodes, one on loopback has no TLS."""
    if placement.registries is not None:
        return placement.registries
    host = placement.registry.partition("/")[0]
    name = host.rpartition(":")[0] or host
    return (f"{'http' if name in _LOOPBACK else 'https'}://{host}",)
