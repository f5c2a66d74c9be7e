"""HTTP for every client: safe retries, problem documents as errors, bounded answers.

Only this module knows httpx. A call that may have happened is repeated only if repeating it is harmless.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import anyio
import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from insitu import __version__
from insitu.api.errors import Problem
from insitu.domain.errors import InsituError
from insitu.domain.wire import first_problem
from insitu.waiting import Backoff

Model = TypeVar("Model", bound=BaseModel)

ATTEMPTS = 4
RETRY = Backoff(0.1, 5.0, factor=3.0, jitter=0.5)
"""The pauses between two attempts."""
WORTH_WAITING = 5.0
"""Seconds; if a server asks for a longer wait, its refusal is raised at once."""
MAX_ANSWER = 32 * 1024 * 1024
"""The most bytes of a JSON answer."""
IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "PUT"})
ANY_JSON: TypeAdapter[Any] = TypeAdapter(Any)
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that mean "not now"."""


class Http:
    """A client of HTTP servers of this system. Use it as a context manager, or call :meth:`close`.

    Parameters
    ----------
    timeout
        Seconds without a byte after which a server counts as silent.
    transport
        Another way to reach the servers, for instance an ASGI application.
    """

    def __init__(self, *, timeout: float = 60.0, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=10.0),
            transport=transport,
            headers={"User-Agent": f"insitu/{__version__}"},
            trust_env=transport is None,
        )

    @classmethod
    def at_socket(cls, path: str) -> Self:
        """Reach one server through a UNIX socket. The hosts in URLs do not matter then."""
        return cls(transport=httpx.AsyncHTTPTransport(uds=path))

    async def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        follow_redirects: bool = False,
    ) -> Any:
        """Call and return the JSON of the answer, or None if it is empty.

        ``idempotent`` says that repeating is harmless although the method does not promise it.

        Raises the server's problem as an error, and ``PeerUnavailable`` if it does not answer or not with JSON.
        """
        repeatable = method in IDEMPOTENT if idempotent is None else idempotent
        body: dict[str, Any] = {"json": _plain(json)} if json is not None else {}
        body |= {"data": form} if form is not None else {}
        body |= {"content": content} if content is not None else {}
        request = self._request(method, url, params, headers=headers, **body)
        for attempt in range(1, ATTEMPTS + 1):
            pause = RETRY.pause(attempt - 1)
            try:
                response = await self._client.send(request, stream=True, follow_redirects=follow_redirects)
                try:
                    raw = await _read_bounded(response)
                finally:
                    await response.aclose()
            except httpx.TransportError as error:
                # Without a connection nothing reached the server.
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if attempt == ATTEMPTS or not (repeatable or unsent):
                    raise unavailable(url, error) from error
            except httpx.HTTPError as error:
                raise unavailable(url, error) from error
            else:
                if response.is_success:
                    return _parse(raw, url)
                failure = _failure(response.status_code, raw, url)
                if attempt == ATTEMPTS or not repeatable or response.status_code not in PASSING:
                    raise failure
                pause = max(pause, _retry_after(response))
                if pause > WORTH_WAITING:
                    raise failure  # the server says that trying again earlier is useless
            await anyio.sleep(min(pause, RETRY.longest))
        raise AssertionError("the last attempt returns or raises")

    async def model(self, kind: type[Model], method: str, url: str, **options: Any) -> Model:
        """Call and read the answer as a model. The options are those of :meth:`call`."""
        return read_model(kind, await self.call(method, url, **options), url)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        quiet: bool | float = False,
        refusals: bool = False,
    ) -> AsyncIterator[httpx.Response]:
        """Send or receive bytes as they come, with an answer that is a success or, with ``refusals``, any.

        Nothing is repeated.

        ``quiet`` allows the other side to be silent for long, like an algorithm that prints nothing, or for so many
        seconds.
        """
        request = self._request(method, url, params, headers=headers, content=content)
        if quiet:
            silence = None if quiet is True else quiet
            request.extensions["timeout"] = {**request.extensions.get("timeout", {}), "read": silence}
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise unavailable(url, error) from error
        try:
            if not (response.is_success or refusals):
                raise _failure(response.status_code, await _read_bounded(response), url)
            yield response
        except httpx.HTTPError as error:
            raise unavailable(url, error) from error
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _request(self, method: str, url: str, params: Mapping[str, Any] | None, **options: Any) -> httpx.Request:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            # A URL from a document may have a query of its own, which stays.
            address = httpx.URL(url).copy_merge_params(given) if given else httpx.URL(url)
            return self._client.build_request(method, address, **options)
        except (httpx.InvalidURL, ValueError) as error:
            raise InsituError("InvalidRequest", f"{url[:200]!r} is not a URL: {error}") from error


async def if_found(asked: Awaitable[Model]) -> Model | None:
    """Wait for an answer; it is None if there is no such asset."""
    try:
        return await asked
    except InsituError as error:
        if error.code != "AssetNotFound":
            raise
        return None


def unavailable(url: str, error: Exception) -> InsituError:
    """Return the error for a server that does not answer."""
    return InsituError(
        "PeerUnavailable", f"{_host(url)} does not answer: {str(error) or type(error).__name__}", url=url
    )


def read_model(kind: type[Model], value: Any, url: str) -> Model:
    """Read an answer. Raises ``PeerUnavailable`` if it is not what was asked for."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise InsituError("PeerUnavailable", f"{url} sent an unexpected answer: {first_problem(error)}") from None


async def _read_bounded(response: httpx.Response) -> bytes:
    received = bytearray()
    async for chunk in response.aiter_bytes():
        received += chunk
        if len(received) > MAX_ANSWER:
            raise InsituError("PeerUnavailable", f"{response.url.host} answers with more than {MAX_ANSWER} bytes")
    return bytes(received)


def _plain(body: Any) -> Any:
    return body.model_dump(mode="json", exclude_none=True) if isinstance(body, BaseModel) else body


def _parse(raw: bytes, url: str) -> Any:
    if not raw:
        return None
    try:
        # Pydantic's parser limits the nesting by itself, no matter what other libraries have set.
        return ANY_JSON.validate_json(raw)
    except ValidationError:
        raise InsituError("PeerUnavailable", f"{url} answered with something that is not JSON") from None


def _failure(status: int, raw: bytes, url: str) -> InsituError:
    """Return the server's problem as an error. A proxy in between does not send problem documents."""
    try:
        return Problem.model_validate_json(raw).error()
    except ValidationError:
        code = {404: "NotFound", 413: "BodyTooLarge"}.get(status, "PeerUnavailable")
        return InsituError(code, f"{_host(url)} answered with status {status}")


def _retry_after(response: httpx.Response) -> float:
    value: str = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() and len(value) < 6 else 0.0


def _host(url: str) -> str:
    try:
        return httpx.URL(url).netloc.decode("ascii") or url
    except (httpx.InvalidURL, ValueError):
        return url[:200]
