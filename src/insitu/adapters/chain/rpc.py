"""JSON-RPC to a node over HTTP. The one place that imports web3's providers, and it does so at the first call."""

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

import anyio
from typing_extensions import override

from insitu.adapters.chain.refusals import NodeError
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from web3.providers.rpc import AsyncHTTPProvider
    from web3.types import RPCEndpoint

__all__ = ["JsonRpc", "number"]

_TIMEOUT = 20.0
"""Seconds for one answer; a node that needs longer is not usable."""


class JsonRpc:
    """A node's JSON-RPC endpoint.

    Parameters
    ----------
    url
        http or https. It may hold an access key, so no error and no log shows more of it than its host.
    timeout
        Seconds for one answer.
    """

    def __init__(self, url: str, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InsituError("SettingsInvalid", "chain.rpc_url must be an http or https url")
        self.url = url
        self.host = parts.hostname + (f":{parts.port}" if parts.port else "")
        self._timeout = timeout
        self._provider: AsyncHTTPProvider | None = None
        self._losses: tuple[type[BaseException], ...] = ()
        self._import = anyio.Lock()

    async def call(self, method: str, *parameters: object) -> Any:
        """Return the result of a method.

        Raises ``ChainUnavailable`` where no answer comes, :class:`NodeError` where the node answers with an error.
        """
        answer = await self._answer(method, parameters)
        if "error" in answer:
            raise _refusal(method, answer["error"])
        if "result" not in answer:
            raise InsituError("ChainUnavailable", f"{self.host} gave no result for {method}")
        return answer["result"]

    async def close(self) -> None:
        """Close the connections. Calls after it open new ones."""
        if self._provider is not None:
            await self._provider.disconnect()
            self._provider = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @override
    def __repr__(self) -> str:
        return f"JsonRpc({self.host})"

    async def _answer(self, method: str, parameters: tuple[object, ...]) -> dict[str, Any]:
        provider = self._provider or await self._connected()
        try:
            with anyio.fail_after(self._timeout):
                answer: object = await provider.make_request(cast("RPCEndpoint", method), list(parameters))
        except TimeoutError:
            detail = f"{self.host} did not answer {method} within {self._timeout:g} s"
            raise InsituError("ChainUnavailable", detail) from None
        except self._losses as error:
            detail = f"{self.host} does not answer ({type(error).__name__})"
            raise InsituError("ChainUnavailable", detail) from None
        if not isinstance(answer, dict):
            raise InsituError("ChainUnavailable", f"{self.host} does not speak JSON-RPC")
        return answer

    async def _connected(self) -> "AsyncHTTPProvider":
        async with self._import:
            if self._provider is None:
                # web3 takes more than a second to load; meanwhile the services go on.
                await anyio.to_thread.run_sync(import_module, "web3.providers.rpc")
                self._provider, self._losses = _provider(self.url)
            return self._provider


def number(quantity: str) -> int:
    """Read a quantity of JSON-RPC (0x…)."""
    return int(quantity, 16)


def _provider(url: str) -> tuple["AsyncHTTPProvider", tuple[type[BaseException], ...]]:
    """Return a provider that does not retry, and the exceptions that mean "no answer"."""
    from web3.exceptions import Web3Exception
    from web3.providers.rpc import AsyncHTTPProvider

    provider = AsyncHTTPProvider(url)
    connection_errors = tuple(provider.exception_retry_configuration.errors)
    # Retrying is decided above: a follower waits and goes on, a person wants to be told.
    provider.exception_retry_configuration = None  # type: ignore[assignment]
    return provider, (*connection_errors, OSError, Web3Exception, json.JSONDecodeError, UnicodeDecodeError)


def _refusal(method: str, error: Any) -> NodeError:
    fields = error if isinstance(error, dict) else {"message": str(error)}
    return NodeError(method, str(fields.get("message", "")), _revert_data(fields.get("data")))


def _revert_data(data: Any) -> bytes:
    """Find the revert data; nodes put it into ``data`` as hexadecimal, some one level deeper."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b""
    try:
        return bytes.fromhex(data.removeprefix("Reverted ").removeprefix("0x"))
    except ValueError:
        return b""
