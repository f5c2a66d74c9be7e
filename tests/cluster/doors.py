"""What stands between a cluster and the world: an ingress, and a way to what runs beside the cluster.

The testbed has no ingress controller. ``python -m tests.cluster.doors KUBECONFIG DOOR...`` opens doors and ends with
its parent. A door is ``address:port=namespace/ingress``, which sends each request to the Service that the Ingress of
the cluster names for its path and answers 404 for any other, or ``address:port=address:port``, which passes on.
"""

import contextlib
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream, ByteStream, SocketStream
from lightkube import AsyncClient, KubeConfig
from lightkube.resources.core_v1 import Service
from lightkube.resources.networking_v1 import Ingress

from tests.cluster.testbed.layout import ROOT

HEAD = 64 << 10
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextlib.contextmanager
def doors(kubeconfig: Path, targets: dict[str, str]) -> Iterator[None]:
    """Keep doors open until the block ends."""
    command = [sys.executable, "-m", "tests.cluster.doors", str(kubeconfig)]
    command += [f"{listen}={target}" for listen, target in targets.items()]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.communicate(timeout=10)


def fits(path: str, rule: str) -> bool:
    """Tell whether a rule of the type Prefix is for a path: it compares whole elements."""
    return path == rule or path.startswith(f"{rule.rstrip('/')}/")


async def behind(client: AsyncClient, ingress: str, path: str) -> tuple[str, int] | None:
    """Return address and port of the Service for a path; the longest rule that fits counts."""
    namespace, _, name = ingress.partition("/")
    found = await client.get(Ingress, name, namespace=namespace)
    rules = found.spec.rules if found.spec is not None else None
    fitting = [one for rule in rules or [] if rule.http for one in rule.http.paths if fits(path, one.path or "/")]
    if not fitting:
        return None
    service = max(fitting, key=lambda one: len(one.path or "")).backend.service
    assert service is not None
    assert service.port is not None
    described = (await client.get(Service, service.name, namespace=namespace)).spec
    assert described is not None
    (port,) = (one.port for one in described.ports or [] if one.name == service.port.name)
    return str(described.clusterIP), port


async def one_request(client: AsyncClient, ingress: str, stream: SocketStream) -> None:
    """Pass one request and its answer on, and close: so that the next one may go elsewhere."""
    async with stream:
        with contextlib.suppress(OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            head = b""
            while b"\r\n\r\n" not in head and len(head) < HEAD:
                head += await stream.receive()
            lines, _, body = head.partition(b"\r\n\r\n")
            path = lines.split(b" ", 2)[1].partition(b"?")[0].decode()
            place = await behind(client, ingress, path)
            if place is None:
                await stream.send(NOT_FOUND)
                return
            lines = re.sub(rb"\r\n(?i:connection):[^\r]*", b"", lines)
            try:
                other = await anyio.connect_tcp(*place)
            except OSError:
                await stream.send(BAD_GATEWAY)
                return
            async with other:
                await other.send(lines + b"\r\nConnection: close\r\n\r\n" + body)
                await joined(stream, other)


async def passed_on(target: str, stream: SocketStream) -> None:
    """Join a connection with one to its target; one that cannot be is closed, as by a machine that refuses it."""
    host, _, port = target.rpartition(":")
    async with stream:
        with contextlib.suppress(OSError):
            async with await anyio.connect_tcp(host, int(port)) as other:
                await joined(stream, other)


async def joined(stream: ByteStream, other: ByteStream) -> None:
    """Copy both ways until the other side has said everything."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(copied, stream, other)
        await copied(other, stream)
        tasks.cancel_scope.cancel()


async def copied(source: ByteReceiveStream, sink: ByteStream) -> None:
    """Copy until the end, and tell the end."""
    with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for piece in source:
            await sink.send(piece)
        await sink.send_eof()


async def main(kubeconfig: str, *targets: str) -> None:
    """Serve until standard input ends."""
    client = AsyncClient(KubeConfig.from_file(kubeconfig))
    async with anyio.create_task_group() as tasks:
        for door in targets:
            listen, _, target = door.partition("=")
            host, _, port = listen.rpartition(":")
            listener = await anyio.create_tcp_listener(local_host=host, local_port=int(port))
            handler = functools.partial(one_request, client, target) if "/" in target else None
            tasks.start_soon(listener.serve, handler or functools.partial(passed_on, target))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
