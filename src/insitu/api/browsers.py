"""What browsers, caches and probes may expect of a server: HEAD, OPTIONS, "not modified"; CORS and compression.

Routes know nothing of this. A page of any origin may call the public surfaces, because no browser adds credentials to
such a call: access tokens are in a header that the page sets itself.
"""

from collections.abc import Sequence

import anyio
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from insitu.api.gateway_v1 import STREAMS

PREFLIGHT_SECONDS = 86400
COMPRESSED_FROM = 1024
"""Bytes."""

EXPOSED = ("Allow", "Content-Disposition", "ETag", "Location", "Retry-After", "WWW-Authenticate", "X-Request-Id")
"""Headers of an answer that a page of another origin may read."""


def answer_browsers(app: FastAPI, *, public: bool) -> None:
    """Add what this module is about; compression and CORS only to a public surface."""
    app.add_middleware(_Bodiless)
    if not public:
        return
    app.add_middleware(_Compression)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
    )


class _Compression:
    """Compresses answers, but no streams: a buffer would hold events back, and files are as their owners made them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=COMPRESSED_FROM, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streamed = scope["type"] != "http" or scope["path"].startswith(STREAMS)
        await (self._app if streamed else self._compressing)(scope, receive, send)


class _Bodiless:
    """Answers without a body: HEAD, OPTIONS, and a GET of what the client already has (RFC 9110).

    What would send the body is cancelled as soon as the headers are known.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["type"] == "http" else ""
        if method not in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        ended = False
        with anyio.CancelScope() as rest:

            async def answer(message: Message) -> None:
                nonlocal ended
                if message["type"] == "http.response.start":
                    status = _status(method, message, known)
                    if status != message["status"]:
                        message = {**message, "status": status, "headers": _of_no_content(message["headers"])}
                    ended = method == "HEAD" or status in {204, 304}
                    await send(message)
                    if ended:
                        await send({"type": "http.response.body", "body": b""})
                        rest.cancel()
                elif not ended:
                    await send(message)

            await self._app({**scope, "method": "GET"} if method == "HEAD" else scope, receive, answer)


def _status(method: str, message: Message, known: str) -> int:
    status: int = message["status"]
    if method == "OPTIONS":
        return 204 if status == 405 else status  # no route has this method, and the answer says which ones there are
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    etag = Headers(raw=message["headers"]).get("etag")
    return 304 if status == 200 and etag is not None and (etag in tags or "*" in tags) else status


def _of_no_content(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in {b"content-length", b"content-type"}]
