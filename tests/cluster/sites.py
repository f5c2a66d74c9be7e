"""`insitu` as a provider runs it on a cluster: real processes, settings, commands; nothing is put together by hand."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.cluster.fixtures import ClusterAccess
from tests.cluster.images import Images
from tests.journeys.provider import Provider, start

SERVER = {"server_id": "small", "cpu": 0.3, "memory": 96 << 20, "disk": 16 << 20, "max_execution_time": 120}


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses at this moment."""
    with closing(socket.socket()) as taken:
        taken.bind((host, 0))
        return int(taken.getsockname()[1])


def offered(images: Images) -> str:
    """What the gateway offers: the image of the tests."""
    python = images.python
    return json.dumps([{"image": python.name, "tag": python.tag, "checksum": python.digest}])


def cluster_settings(access: ClusterAccess, images: Images, namespace: str, gateway_url: str) -> list[str]:
    """What an operator on the cluster is told."""
    pods = images.pods
    return [
        "operator.runtime=kubernetes",
        "operator.cpu=1.5",
        f"operator.memory={4 << 30}",
        f"operator.disk={4 << 30}",
        f"cluster.kubeconfig={access.kubeconfig}",
        f"cluster.namespace={namespace}",
        f"cluster.image={access.registry}/{pods.name}@{pods.digest}",
        f"cluster.registry={access.registry}",
        f"cluster.gateway_url={gateway_url}",
        f"cluster.storage_class={access.storage_class}",
        *([f"cluster.runtime_class={access.runtime_class}"] if access.runtime_class else []),
    ]


@contextmanager
def provider_up(access: ClusterAccess, images: Images, namespace: str, folder: Path) -> Iterator[Provider]:
    """`insitu up` with its executions on the cluster."""
    home, data, port = folder / "home", folder / "data", free_port()
    home.mkdir()
    data.mkdir()
    flags = [
        *cluster_settings(access, images, namespace, f"http://{access.host}:{port}"),
        "server.host=0.0.0.0",
        "chain.expose_known_keys=true",
        f"server.port={port}",
        f"server.public_url=http://127.0.0.1:{port}",
        f"gateway.containers={offered(images)}",
        f"gateway.servers={json.dumps([SERVER])}",
    ]
    running = start(home, data, *flags)
    try:
        yield running
    finally:
        code = running.stop()
        running.close()
        assert code == 0, (home / "up.log").read_text()[-4000:]
