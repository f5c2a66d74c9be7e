"""Registries for tests: a real one on loopback, and servers whose answers a test decides."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import DEVNULL, Popen
from typing import Any

import httpx
import pytest

from tests.adapters.oci.layouts import Layout
from tests.parts import programme

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real registry on loopback; yield its address."""
    place = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (place / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {place}/data}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    binary = programme("docker-registry", "registry")
    assert binary is not None
    with Popen([binary, "serve", place / "config.yml"], stdout=DEVNULL, stderr=DEVNULL, env=os.environ) as process:
        transport = httpx.HTTPTransport(retries=50)
        with httpx.Client(transport=transport) as client:
            for _ in range(100):
                try:
                    client.get(f"http://{address}/v2/").raise_for_status()
                    break
                except httpx.ConnectError:
                    threading.Event().wait(0.05)
        yield address
        process.terminate()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[str, dict[str, str]], Answer]], str]]:
    """Serve the answers of a function of path and headers; yield the address."""
    servers = []

    def start(answer: Callable[[str, dict[str, str]], Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # and HEAD, whose answer has no body
                status, headers, body = answer(self.path, dict(self.headers))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def push(address: str, repository: str, layout: Layout, described: dict[str, Any]) -> str:
    """Push a manifest (or index) with everything that it names; return the reference to pull it by."""
    base = f"http://{address}/v2/{repository}"
    data = (layout.root / "blobs/sha256" / described["digest"][7:]).read_bytes()
    document = json.loads(data)
    with httpx.Client() as client:
        for entry in document.get("manifests", []):
            push(address, repository, layout, entry)
        for blob in [document["config"], *document["layers"]] if "config" in document else []:
            location = client.post(f"{base}/blobs/uploads/").headers["location"]
            content = (layout.root / "blobs/sha256" / blob["digest"][7:]).read_bytes()
            client.put(
                httpx.URL(location).copy_merge_params({"digest": blob["digest"]}), content=content
            ).raise_for_status()
        headers = {"Content-Type": described["mediaType"]}
        client.put(f"{base}/manifests/{described['digest']}", content=data, headers=headers).raise_for_status()
    return f"{address}/{repository}@{described['digest']}"
