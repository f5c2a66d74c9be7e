"""The client of a cluster keeps its connections, and notices a peer that is gone without a word. Needs no cluster."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from lightkube.resources.core_v1 import Pod

from insitu.adapters.kubernetes import Cluster
from insitu.domain.errors import InsituError

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": "n", "resourceVersion": "1"}}


class ApiServer(ThreadingHTTPServer):
    """Answers a version, one pod, and a watch that ends after its first event; counts connections."""

    daemon_threads = True
    connections = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        body = json.dumps({"gitVersion": "v1"} if self.path == "/version" else POD).encode()
        if "watch=true" in self.path:
            body = json.dumps({"type": "DELETED", "object": POD}).encode() + b"\n"
        self.send_response(404 if self.path.endswith("/none") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def kubeconfig(api_server: ApiServer, tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{api_server.server_port}"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
                "current-context": "x",
            }
        )
    )
    return path


async def test_calls_share_a_connection(api_server: ApiServer, kubeconfig: Path) -> None:
    async with Cluster(kubeconfig) as cluster:
        for _ in range(5):
            assert await cluster.get(Pod, "one") is not None
    assert api_server.connections == 1


async def test_a_peer_that_is_gone_without_a_word_is_noticed_by_the_socket(kubeconfig: Path) -> None:
    async with Cluster(kubeconfig) as cluster:
        for client in (cluster._client._client._client, cluster._streams):
            async with client.stream("GET", "/version") as answer:
                found: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
                assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert 0 < found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < 30
                assert 0 < found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 30_000


async def test_the_proxy_of_the_environment_is_used(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed.getsockname()[1]}")
        async with Cluster(kubeconfig) as cluster:
            with pytest.raises(InsituError, match="ConnectError"):
                await cluster.get(Pod, "one")
