"""JSON-RPC 2.0 to a node over HTTP: requests, answers, and every way an answer can fail to come."""

import itertools
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import anyio
from typing_extensions import override

from insitu.adapters.chain.refusals import NodeError
from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 20.0
"""Seconds for one answer; a slower node is not usable."""

_KEEP_ALIVE = 60.0
"""Seconds for which an idle connection is kept."""


class JsonRpc:
    """A node's JSON-RPC endpoint. Connections are opened at the first call; any call may be cancelled.

    Parameters
    ----------
    url
        http or https. It may contain an access key, so errors and logs show only its host.
    timeout
        Seconds for one answer.
    """

    def __init__(self, url: str, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InsituError("SettingsInvalid", "chain.rpc_url must be an http or https url")
        self.url = url
        self.host = parts.hostname + (f":{parts.port}" if parts.port else "")
        self._local = is_loopback(parts.hostname)
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._client: httpx.AsyncClient | None = None

    async def call(self, method: str, *parameters: object) -> Any:
        """Return the result of a method.

        Raises ``ChainUnavailable`` if no answer comes, :class:`NodeError` if the node answers with an error.
        """
        request = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        answer = await self._answer(method, request)
        if "error" in answer:
            raise _refusal(method, answer["error"])
        if "result" not in answer:
            raise InsituError("ChainUnavailable", f"{self.host} returned no result for {method}")
        return answer["result"]

    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @override
    def __repr__(self) -> str:
        return f"JsonRpc({self.host})"

    async def _answer(self, method: str, request: dict[str, object]) -> dict[str, Any]:
        import httpx

        if self._client is None:
            limits = httpx.Limits(max_connections=50, keepalive_expiry=_KEEP_ALIVE)
            logging.getLogger("httpx").addFilter(_Unlogged(self.url))
            # A proxy from the environment is not used for this machine.
            self._client = httpx.AsyncClient(timeout=self._timeout, limits=limits, trust_env=not self._local)
        try:
            # httpx limits each wait for bytes; this limits the whole answer.
            with anyio.fail_after(self._timeout):
                response = await self._client.post(self.url, json=request)
        except TimeoutError:
            detail = f"{self.host} did not answer {method} within {self._timeout:g} s"
            raise InsituError("ChainUnavailable", detail) from None
        except httpx.HTTPError as error:
            raise InsituError("ChainUnavailable", f"{self.host} does not answer ({type(error).__name__})") from None
        try:
            answer: object = response.json()
        except ValueError:  # not JSON, or not UTF-8
            detail = f"{self.host} answered {method} with status {response.status_code} and without JSON"
            raise InsituError("ChainUnavailable", detail) from None
        if not isinstance(answer, dict):
            raise InsituError("ChainUnavailable", f"{self.host} does not speak JSON-RPC")
        return answer


class _Unlogged(logging.Filter):
    """Keeps a node's address, which may hold an access key, out of httpx's log of requests."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.args, tuple) and self._url in map(str, record.args))

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unlogged) and other._url == self._url  # so that a logger has only one

    @override
    def __hash__(self) -> int:
        return hash(self._url)


def number(quantity: object) -> int:
    """Read a quantity of JSON-RPC (0x…). Raises ``ChainUnavailable`` if it is not one."""
    try:
        return int(str(quantity), 16)
    except ValueError:
        raise InsituError("ChainUnavailable", f"the node returned {str(quantity)[:40]!r} for a quantity") from None


def raw_bytes(data: object) -> bytes:
    """Read bytes of JSON-RPC (0x…). Raises ``ChainUnavailable`` if they are not bytes."""
    try:
        return bytes.fromhex(str(data).removeprefix("0x"))
    except ValueError:
        raise InsituError("ChainUnavailable", f"the node returned {str(data)[:40]!r} for bytes") from None


def member(answer: object, name: str) -> Any:
    """Return a member of a JSON-RPC object. Raises ``ChainUnavailable`` if it is missing."""
    if not isinstance(answer, Mapping) or name not in answer:
        raise InsituError("ChainUnavailable", f"the node's answer has no {name}")
    return answer[name]


def items(answer: object) -> list[Any]:
    """Return a JSON-RPC list. Raises ``ChainUnavailable`` if it is not one."""
    if not isinstance(answer, list):
        raise InsituError("ChainUnavailable", "the node's answer is not a list")
    return answer


def _refusal(method: str, error: Any) -> NodeError:
    fields = error if isinstance(error, dict) else {"message": str(error)}
    return NodeError(method, str(fields.get("message", "")), _revert_data(fields.get("data")))


def _revert_data(data: Any) -> bytes:
    """Return the revert data; nodes put it into ``data`` as hexadecimal, some of them one level deeper."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b""
    try:
        return bytes.fromhex(data.removeprefix("Reverted ").removeprefix("0x"))
    except ValueError:
        return b""
