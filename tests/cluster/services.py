"""What kube-proxy does, as far as the tests need it: addresses of Services on this machine, and connections passed on.

The testbed has no kube-proxy. ``python -m tests.cluster.services KUBECONFIG ROUTE...`` takes each address for itself,
on the bridge of the pods, and ends with its parent. A route is ``address:port=namespace/service`` or
``address:port=address:port``.
"""

import contextlib
import functools
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
from anyio.abc import ByteStream, SocketStream
from lightkube import AsyncClient, KubeConfig
from lightkube.resources.discovery_v1 import EndpointSlice

from tests.cluster.testbed.layout import BRIDGE, ROOT
from tests.cluster.testbed.network import ip

Target = tuple[str, int]


@contextlib.contextmanager
def services(kubeconfig: Path, routes: dict[str, str]) -> Iterator[None]:
    """Pass connections on until the block ends."""
    words = [f"{listen}={target}" for listen, target in routes.items()]
    addresses = sorted({listen.partition(":")[0] for listen in routes} - {"127.0.0.1"})
    for address in addresses:
        ip("addr", "add", f"{address}/32", "dev", BRIDGE)
    try:
        command = [sys.executable, "-m", "tests.cluster.services", str(kubeconfig), *words]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.communicate(timeout=10)
    finally:
        for address in addresses:
            ip("addr", "del", f"{address}/32", "dev", BRIDGE)


async def endpoint(client: AsyncClient, service: str) -> Target:
    """Return one of a Service's ready endpoints."""
    namespace, _, name = service.partition("/")
    ready = []
    found = client.list(EndpointSlice, namespace=namespace, labels={"kubernetes.io/service-name": name})
    async for piece in found:
        port = (piece.ports or [])[0].port or 0
        ready += [
            (address, port)
            for each in piece.endpoints
            if each.conditions is None or each.conditions.ready
            for address in each.addresses
        ]
    return random.choice(ready)


async def passed_on(client: AsyncClient, target: str, stream: SocketStream) -> None:
    """Join a connection with one to its target; one that cannot be is closed, as by a machine that refuses it."""
    async with stream:
        with contextlib.suppress(OSError, IndexError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            host, _, port = target.partition(":")
            place = (host, int(port)) if port else await endpoint(client, target)
            async with await anyio.connect_tcp(*place) as other, anyio.create_task_group() as tasks:
                tasks.start_soon(copied, stream, other)
                tasks.start_soon(copied, other, stream)


async def copied(source: ByteStream, sink: ByteStream) -> None:
    """Copy until the end, and tell the end."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for piece in source:
            await sink.send(piece)
        await sink.send_eof()


async def main(kubeconfig: str, *routes: str) -> None:
    """Serve until standard input ends."""
    client = AsyncClient(KubeConfig.from_file(kubeconfig))
    async with anyio.create_task_group() as tasks:
        for route in routes:
            listen, _, target = route.partition("=")
            host, _, port = listen.partition(":")
            listener = await anyio.create_tcp_listener(local_host=host, local_port=int(port))
            tasks.start_soon(listener.serve, functools.partial(passed_on, client, target))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
