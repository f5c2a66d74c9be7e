"""Where executions run: this machine, or a cluster. The operator gets its store, runtime and capacity from here."""

import importlib.util
import math
import secrets
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.ports.executions import Executions
from insitu.ports.peers import Capacity, GatewayPeer
from insitu.ports.runtime import Runtime
from insitu.settings.capacity import machine_share
from insitu.settings.sections import Settings
from insitu.stack.stores import open_executions

if TYPE_CHECKING:
    from insitu.adapters.kubernetes import Cluster
    from insitu.adapters.runtime.kubernetes import Placement
    from insitu.operator.engine import Engine

ENGINE_LEASE = "insitu-engine"
"""Name of the lease that the active engine of a namespace holds."""


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What executions are kept in and run on.

    Attributes
    ----------
    attend
        Runs an engine forever: immediately, or whenever this process leads.
    """

    executions: Executions
    runtime: Runtime
    capacity: Capacity
    attend: "Callable[[Engine], Coroutine[None, None, None]]"


async def on_this_machine(
    settings: Settings, gateway: GatewayPeer, stack: AsyncExitStack, *, for_strangers: bool
) -> Infrastructure:
    """Use sealed containers of this machine and a file; the other pods are functions of this process.

    ``for_strangers``: whether others can buy here; then algorithms without limits run only if the settings allow it.
    """
    from insitu.adapters.runtime.oci.runner import OciRuntime
    from insitu.pods.configure import Configure
    from insitu.pods.publish import Publish
    from insitu.stack.parts import open_images

    executions = await open_executions(settings, stack)
    runtime = OciRuntime(
        runs=settings.folder.runs,
        images=open_images(settings),
        configure=Configure(gateway),
        publish=Publish(gateway),
        allow_unlimited=allows_unlimited(settings, for_strangers=for_strangers),
    )
    return Infrastructure(executions, runtime, _capacity(settings), lambda engine: engine.run())


def allows_unlimited(settings: Settings, *, for_strangers: bool) -> bool:
    """Return whether algorithms may run if nothing limits their memory."""
    chosen = settings.operator.allow_unlimited
    return not for_strangers if chosen is None else chosen


async def on_a_cluster(settings: Settings, public_url: str, stack: AsyncExitStack) -> Infrastructure:
    """Use the pods of a cluster, and its custom resources.

    Raises ``SettingsInvalid`` if something that a cluster needs is not set, ``ExtraMissing``.
    """
    for name in ("cpu", "memory", "disk"):
        if getattr(settings.operator, name) is None:
            raise InsituError("SettingsInvalid", f"operator.{name}: say how much of the cluster executions may use")
    placed = placement(settings, public_url)
    cluster = open_cluster(settings)
    stack.push_async_callback(cluster.aclose)
    from insitu.adapters.executions.kubernetes import KubernetesExecutions
    from insitu.adapters.kubernetes_leadership import Leadership
    from insitu.adapters.runtime.kubernetes import KubernetesRuntime

    leadership = Leadership(cluster, ENGINE_LEASE, _instance(settings))
    runtime, executions = KubernetesRuntime(cluster, placed), KubernetesExecutions(cluster)
    stack.push_async_callback(runtime.aclose)

    async def attend(engine: "Engine") -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(executions.follow, engine.wake)
            await leadership.lead(engine.run)

    return Infrastructure(executions, runtime, _capacity(settings), attend)


def open_cluster(settings: Settings) -> "Cluster":
    """Return the namespace of executions. Raises ``ExtraMissing``, ``SettingsInvalid``."""
    if importlib.util.find_spec("lightkube") is None:
        raise InsituError("ExtraMissing", "a cluster needs its extra: pip install './insitu-….whl[cluster]'")
    from insitu.adapters.kubernetes import Cluster

    return Cluster(settings.cluster.kubeconfig, settings.cluster.namespace)


def placement(settings: Settings, public_url: str) -> "Placement":
    """Return how steps are placed on the cluster. Raises ``SettingsInvalid``, ``ExtraMissing``."""
    chosen = settings.cluster
    if chosen.image is None or chosen.registry is None:
        missing = "image" if chosen.image is None else "registry"
        raise InsituError("SettingsInvalid", f"cluster.{missing} is not set, and operator.runtime is kubernetes")
    gateway_url = chosen.gateway_url or settings.gateway.url or public_url
    if is_loopback(urlsplit(gateway_url).hostname or ""):
        detail = (
            f"cluster.gateway_url: pods cannot reach {gateway_url}; name an address of this machine that they can reach"
        )
        raise InsituError("SettingsInvalid", detail)
    if importlib.util.find_spec("lightkube") is None:
        raise InsituError("ExtraMissing", "a cluster needs its extra: pip install './insitu-….whl[cluster]'")
    from insitu.adapters.runtime.kubernetes import Placement, PodImage

    return Placement(
        pods=PodImage(chosen.image),
        gateway_url=gateway_url.rstrip("/"),
        registry=chosen.registry.rstrip("/"),
        registries=chosen.registries,
        storage_class=chosen.storage_class,
        runtime_class=chosen.runtime_class,
        stop_grace=max(2, math.ceil(settings.operator.stop_grace)),
        pending=chosen.pending_deadline,
        node_loss=chosen.node_loss,
        node_selector={name: value for name, _, value in (label.partition("=") for label in chosen.node_selector)},
        gpu_resource=chosen.gpu_resource,
        owned=True,
    )


def _instance(settings: Settings) -> str:
    """Return who this process is. One process at a time uses a folder, so after a restart it may retake its lease."""
    from insitu.adapters.keys.private_files import create_once

    drawn = create_once(settings.folder.instance, lambda: secrets.token_hex(6).encode())
    return f"{socket.gethostname()}-{drawn.decode('ascii', 'replace').strip()}"


def _capacity(settings: Settings) -> Capacity:
    offer = machine_share(settings.operator, settings.home)
    return Capacity(cpu_millis=int(offer.cpu * 1000), memory_bytes=offer.memory, disk_bytes=offer.disk)
