"""Connections of a process that ends in the middle of a deployment."""

from typing import Any

from typing_extensions import override

from insitu.adapters.chain.rpc import JsonRpc


class ProcessEndedError(Exception):
    """The process ended."""


class Fragile(JsonRpc):
    """A connection of a process that ends before or after its n-th transaction is sent."""

    def __init__(self, url: str, survive: int, *, sent: bool) -> None:
        super().__init__(url)
        self._left = survive
        self._sent = sent

    @override
    async def call(self, method: str, *parameters: object) -> Any:
        if method != "eth_sendRawTransaction":
            return await super().call(method, *parameters)
        self._left -= 1
        if self._left < 0 and not self._sent:
            raise ProcessEndedError
        result = await super().call(method, *parameters)
        if self._left < 0:
            raise ProcessEndedError
        return result
