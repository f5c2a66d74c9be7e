"""Server-sent events: what the gateway reports while something is running, without gaps over broken connections."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import httpx

from insitu.domain.errors import InsituError, TokenError, definition_of
from insitu.sdk.http import ANY_JSON, Http
from insitu.waiting import Backoff

TOKEN_EXPIRED = "token-expired"  # noqa: S105 - name of an event
END = "end"
ERROR = "error"
RETRY = Backoff(0.8, 5.0)
"""The pause before a third connection in a row; a second one follows at once."""
SILENT_ATTEMPTS = 8
"""How many connections in a row may bring nothing before the server counts as gone; about half a minute."""
ALIVE = 10.0
"""Seconds that a connection must stay open to count as working."""
MAX_LINE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. Its ``id`` resumes the stream after it."""

    name: str
    data: str
    id: str | None


async def follow(
    http: Http,
    url: str,
    authorization: Callable[[bool], Awaitable[Mapping[str, str]]],
    *,
    params: Mapping[str, Any] | None = None,
    last_id: str | None = None,
) -> AsyncIterator[ServerEvent]:
    """Yield events until the server says ``end``, resuming after a broken connection or an expired token.

    ``authorization`` returns the headers of a call; True asks for a fresh token. Raises the server's refusals, and
    ``PeerUnavailable`` if it stays away.
    """
    patience, fresh = _Patience(url), False
    while True:
        began = anyio.current_time()
        try:
            headers = {**await authorization(fresh), "Accept": "text/event-stream"}
            headers |= {"Last-Event-ID": last_id} if last_id is not None else {}
            async with http.stream("GET", url, params=params, headers=headers) as response:
                fresh = False
                if response.status_code == 204:
                    return  # the stream had ended already
                async for event in parse_events(response):
                    patience.renew()
                    if event.name == ERROR:
                        raise _read_error(event)
                    if event.name == TOKEN_EXPIRED:
                        fresh = True
                        break
                    last_id = event.id or last_id
                    yield event
                    if event.name == END:
                        return
        except InsituError as error:
            fresh = _with_fresh_token(error, tried=fresh)
        await patience.spend(began)


class _Patience:
    """Counts connections in a row that bring nothing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._fruitless = 0

    def renew(self) -> None:
        self._fruitless = 0

    async def spend(self, began: float) -> None:
        """Wait before the next connection, or raise if there were too many."""
        # A connection that stayed open for a while works, even if nothing happened.
        self._fruitless = 0 if anyio.current_time() - began > ALIVE else self._fruitless + 1
        if self._fruitless > SILENT_ATTEMPTS:
            raise InsituError("PeerUnavailable", f"{self._url} does not answer, or keeps ending the stream")
        if self._fruitless > 1:
            await anyio.sleep(RETRY.pause(self._fruitless - 2))


def _with_fresh_token(error: InsituError, *, tried: bool) -> bool:
    """Return whether a fresh token helps. Raises an error that another connection cannot help."""
    refused = isinstance(error, TokenError)
    if (refused and tried) or not (refused or error.definition.retry):
        raise error
    return refused


def _read_error(event: ServerEvent) -> InsituError:
    """Return the error that a server reports in the middle of a stream: a problem's members, at least its code."""
    try:
        members = ANY_JSON.validate_json(event.data)
        code, detail = str(members["code"]), str(members.get("detail", ""))
    except (ValueError, KeyError, AttributeError, TypeError):
        code, detail = "PeerUnavailable", "the stream ended with an error"
    return InsituError(definition_of(code).code, detail)


async def parse_events(response: httpx.Response) -> AsyncIterator[ServerEvent]:
    """Read events from a response (WHATWG HTML, "Server-sent events"); comments are heartbeats."""
    name, data, last_id = "", list[str](), None
    async for line in _lines(response):
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), last_id)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id" and "\0" not in value:
            last_id = value


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Split only at line feeds, because JSON may contain other characters that Unicode counts as line ends."""
    pending = b""
    async for chunk in response.aiter_bytes():
        *complete, pending = (pending + chunk).split(b"\n")
        for line in complete:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if len(pending) > MAX_LINE:
            raise InsituError("PeerUnavailable", "the stream has a line that never ends")
