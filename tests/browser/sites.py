"""A small web server with pages that tests write, and the SDK as a page without a bundler has it."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

from tests.javascript.packages import SDK, build_sdk

_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".json": "application/json"}

_FOLDERS = {
    "/insitu/": SDK / "dist",
    "/noble/hashes/": SDK / "node_modules/@noble/hashes",
    "/noble/secp256k1/": SDK / "node_modules/@noble/secp256k1",
    "/example/node_modules/insitu/": SDK,
    "/example/node_modules/@noble/": SDK / "node_modules/@noble",
    "/example/": SDK / "examples/page",
}

EXAMPLE = "/example/index.html"
"""Path of the example of a page, where npm has installed the SDK beside it."""

IMPORTS = json.dumps(
    {
        "imports": {
            "insitu": "/insitu/index.js",
            **{f"insitu/{name}": f"/insitu/{name}.js" for name in ("publish", "verify", "wallets")},
            "insitu/domain": "/insitu/domain/index.js",
            "@noble/hashes/": "/noble/hashes/",
            "@noble/secp256k1": "/noble/secp256k1/index.js",
        }
    }
)


def _policy(*inline: str) -> str:
    """The policy of every page: the import maps are the only scripts within one."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    scripts = " ".join(["'self'", *(f"'sha256-{found}'" for found in hashes)])
    trusted = "require-trusted-types-for 'script'; trusted-types 'none'"
    return f"default-src 'none'; script-src {scripts}; connect-src *; img-src data:; {trusted}"


_EXAMPLE_IMPORTS = (SDK / "examples/page/index.html").read_text("utf-8").partition('"importmap">')[2]
POLICY = _policy(IMPORTS, _EXAMPLE_IMPORTS.partition("</script>")[0])

_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<script type="importmap">{IMPORTS}</script><script type="module" src="SCRIPT"></script></head>
<body><main><h1>A page</h1>BODY</main></body></html>"""


class Site:
    """The address of a running server, and the files that it has besides those of the SDK."""

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, str] = {}

    def page(self, name: str, script: str, body: str = "") -> str:
        """Add a page with a module that may import the SDK by name, and return its address."""
        self.files[f"/{name}.js"] = script
        self.files[f"/{name}.html"] = _PAGE.replace("SCRIPT", f"/{name}.js").replace("BODY", body)
        return f"{self.url}/{name}.html"

    def read(self, path: str) -> bytes | None:
        """Return a file by the path of its address."""
        if path in self.files:
            return self.files[path].encode()
        for prefix, folder in _FOLDERS.items():
            file = folder / path.removeprefix(prefix)
            if path.startswith(prefix) and ".." not in path and file.is_file():
                return file.read_bytes()
        return None


@contextmanager
def running_site(port: int) -> Iterator[Site]:
    """Build the SDK, and serve it until the end."""
    build_sdk()
    site = Site()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = site.read(path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", _TYPES.get(Path(path).suffix, "text/plain"))
            self.send_header("Content-Length", str(len(content or b"")))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content or b"")

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site.url = f"http://127.0.0.1:{port}"
        try:
            yield site
        finally:
            server.shutdown()
