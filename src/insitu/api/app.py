"""What all HTTP servers share: problem documents (RFC 9457), body limits, request ids, security headers.

:func:`build_app` takes routers; they raise :class:`InsituError` and know nothing about the rest.
"""

import json
import logging
import re
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from insitu.api.bodies import Body
from insitu.api.browsers import answer_browsers
from insitu.api.clients import Proxies
from insitu.api.errors import MEDIA_TYPE, Problem
from insitu.api.openapi import for_generators
from insitu.domain.canonical import escape_pointer
from insitu.domain.errors import InsituError, Violation
from insitu.domain.json_text import read_json

logger = logging.getLogger("insitu.http")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Pages = Callable[[Problem, str], Response | None]
"""Returns the page for an error at a path, or None if a program asked."""

HEALTH = "/healthz"
REQUEST_ID = "X-Request-Id"
METHODS = ("DELETE", "GET", "POST", "PUT")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Set unless a route sets its own."""

_STATUSES = {
    401: "InvalidToken",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "BodyTooLarge",
}
_CODES = {"missing": "Required", "value_error": "WrongFormat", "extra_forbidden": "UnknownField"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_MAX_PROBLEMS = 100
NESTED_CALLS = 3000


def build_app(
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    *,
    max_body_bytes: int,
    body_limits: Mapping[str, int] | None = None,
    proxies: Proxies = Proxies(),  # noqa: B008 - frozen
    lifespan: Lifespan | None = None,
    public: bool = False,
    pages: Pages | None = None,
) -> FastAPI:
    """Build an application that answers every error with a problem document, or with a page.

    Parameters
    ----------
    max_body_bytes
        A larger body gets 413 ``BodyTooLarge``, whether its size is announced or it is streamed.
    body_limits
        Other limits by path prefix, for addresses that take files; the longest matching prefix counts.
    proxies
        The proxies that are trusted to name a client's address. Routes find its network in ``request.state.network``.
    lifespan
        What runs while the application serves.
    public
        Whether pages of any origin may call it. The operator is for its gateway alone.
    pages
        What an error looks like to a person, if this application has pages.
    """
    app = _Application(
        title=title,
        version=version,
        lifespan=lifespan or _nothing,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: to_camel(route.name),
        responses={"default": {"model": Problem, "description": "A problem document (RFC 9457)"}},
    )
    app.state.pages = pages
    app.add_exception_handler(InsituError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    for router in routers:
        app.include_router(router)
    # For the operator's probes, not for clients.
    app.add_api_route(HEALTH, _health, include_in_schema=False)
    limits = dict(body_limits or {})
    app.add_middleware(_Envelope, max_body_bytes=max_body_bytes, body_limits=limits, proxies=proxies, pages=pages)
    answer_browsers(app, public=public)
    return app


class _Application(FastAPI):
    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = for_generators(super().openapi())
        return self.openapi_schema


async def _health() -> dict[str, str]:
    """Answer that everything was opened and the event loop is running."""
    return {"status": "ok"}


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


class _StrictRequest(Request):
    @override
    async def json(self) -> Any:
        try:
            return read_json(await self.body())
        except InsituError as error:
            raise InsituError("InvalidRequest", f"the body: {error.detail}", pointer=error.pointer) from None


class StrictRoute(APIRoute):
    """A route whose JSON body means one thing to every reader (RFC 7493): ``APIRouter(route_class=StrictRoute)``."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which gets a request that reads its body strictly."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return handle


class _Envelope:
    """Wraps every request: its id, the limit of its body, the headers of the answer, and the answer to any defect."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        body_limits: Mapping[str, int],
        proxies: Proxies,
        pages: Pages | None,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._pages = pages
        self._limit = max_body_bytes
        self._limits = sorted(body_limits.items(), key=lambda item: len(item[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _cap_recursion()
        request_id = _request_id(scope)
        scope.setdefault("state", {}).update(request_id=request_id, network=self._proxies.network(scope))
        body = Body(scope, receive, self._limit_of(scope["path"]))
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = _with_headers(map(_here, message.get("headers", ())), request_id)
                if not await body.finish():
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, body.read, answer)
        except ClientDisconnect:
            logger.debug("request %s: the client left", request_id)
        except Exception as error:
            logger.exception("request %s %s %s failed", request_id, scope["method"], scope["path"])
            if started:
                raise
            # The cause stays in the log: it may contain what a caller must not see.
            failure = error if isinstance(error, InsituError) else InsituError("InternalError")
            await _answer(failure, request_id, scope["path"], self._pages)(scope, receive, answer)

    def _limit_of(self, path: str) -> int:
        return next((size for prefix, size in self._limits if path.startswith(prefix)), self._limit)


def _cap_recursion() -> None:
    """Keep the recursion limit sane, so that a body of a million brackets fails but does not kill the process.

    A library that signing needs (py_ecc) sets it to 100,000 when it is imported; the JSON parser uses the same limit
    and overflows the stack long before.
    """
    if sys.getrecursionlimit() > NESTED_CALLS:
        sys.setrecursionlimit(NESTED_CALLS)


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(REQUEST_ID.lower().encode(), b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _here(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header that leads, if anywhere, to this server, whatever name and scheme the request claimed."""
    name, value = header
    if name.lower() != b"location":
        return header
    parts = urlsplit(value)
    return name, urlunsplit((b"", b"", b"/" + parts.path.lstrip(b"/"), parts.query, b""))


def _with_headers(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    headers = list(headers)
    present = {name.lower() for name, _ in headers}
    wanted = {**HEADERS, REQUEST_ID: request_id}
    added = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]
    return [*headers, *(header for header in added if header[0] not in present)]


def _refuse(request: Request, error: InsituError) -> Response:
    return _answer(error, request.state.request_id, request.url.path, request.app.state.pages)


def _answer(error: InsituError, request_id: str, path: str, pages: Pages | None) -> Response:
    problem = Problem.of(error, instance=request_id)
    page = pages(problem, path) if pages is not None else None
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if "retryAfter" in error.context:
        headers["Retry-After"] = str(error.context["retryAfter"])
    if page is not None:
        page.headers.update(headers)
        return page
    # ASCII, because an id from a caller may contain characters that have no UTF-8 form.
    content = json.dumps(problem.model_dump(mode="json"), ensure_ascii=True)
    return Response(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, InsituError)
    return _refuse(request, error)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    violations = [_violation(problem) for problem in error.errors()[:_MAX_PROBLEMS]]
    detail = violations[0].message if violations else ""
    pointer = violations[0].pointer if violations else None
    refusal = InsituError("InvalidRequest", detail, pointer=pointer, problems=violations)
    return _refuse(request, refusal)


def _violation(problem: Mapping[str, object]) -> Violation:
    """Say where and why, but never repeat the input."""
    place = problem["loc"]
    source, *parts = place if isinstance(place, Sequence) and place else ("body",)
    message = str(problem["msg"]).removeprefix("Value error, ")
    code = _CODES.get(str(problem["type"]), "WrongType")
    if problem["type"] == "json_invalid":
        return Violation("", "WrongFormat", "the body is not JSON")
    if source == "body":
        return Violation("".join(f"/{escape_pointer(str(part))}" for part in parts), code, message)
    return Violation("", code, f"{source} parameter {'.'.join(str(part) for part in parts)}: {message}")


def _methods(request: Request) -> list[str]:
    """Return the methods of a path, of all its routes; Starlette would name those of the first one."""
    scopes = [{**request.scope, "method": method} for method in METHODS]
    routes = request.app.routes
    found = [scope["method"] for scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in routes)]
    return sorted([*found, "OPTIONS", *(["HEAD"] if "GET" in found else [])])


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # FastAPI turns any error while it reads a body into a 400, including our limit of the body.
    if isinstance(error.__cause__, InsituError):
        return _refuse(request, error.__cause__)
    code = _STATUSES.get(error.status_code, "InvalidRequest" if error.status_code < 500 else "InternalError")
    detail = error.detail if code == "InvalidRequest" else ""
    response = _refuse(request, InsituError(code, detail))
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_methods(request))
    for name, value in (error.headers or {}).items():
        response.headers.setdefault(name, value)
    return response
