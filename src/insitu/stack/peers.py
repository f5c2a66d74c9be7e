"""The other actors of a provider, as this process reaches them."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from insitu.domain.errors import InsituError
from insitu.settings.sections import Settings
from insitu.stack.sources import targets

if TYPE_CHECKING:
    from insitu.metadata.service import MetadataService
    from insitu.ports.peers import GatewayPeer, MetadataPeer, OperatorPeer
    from insitu.sdk.http import Http

Actor = Literal["metadata", "gateway", "operator", "marketplace"]
ACTORS: tuple[Actor, ...] = ("metadata", "gateway", "operator", "marketplace")


class Peers:
    """Opens the peers that this process needs; they are closed with the stack.

    A peer that runs elsewhere is an HTTP client. Raises ``SettingsInvalid`` if its address is not set.
    """

    def __init__(self, settings: Settings, stack: AsyncExitStack, *, public_url: str, service_key: str) -> None:
        self._settings = settings
        self._stack = stack
        self._public_url = public_url
        self._service_key = service_key

    def metadata(self, own: "MetadataService | None") -> "MetadataPeer":
        """Return the catalogue: ``own``, which is in this process, or another one."""
        from insitu.adapters.peers.metadata import HttpMetadata, OwnMetadata

        address = self._public_url if own is not None else self._address("metadata")
        others = HttpMetadata(self._stranger_client(), address)
        return OwnMetadata(own or HttpMetadata(self._client, address), address, others)

    def operator(self) -> "OperatorPeer":
        """Return an operator in another process."""
        from insitu.adapters.peers.operator import HttpOperator
        from insitu.sdk.http import Http

        address = self._address("operator")
        if not address.startswith("unix:"):
            return HttpOperator(self._client, address, self._service_key)
        http = self._close_at_end(Http.at_socket(address.removeprefix("unix:")))
        return HttpOperator(http, "http://operator", self._service_key)

    def gateway(self) -> "GatewayPeer":
        """Return a gateway in another process."""
        from insitu.adapters.peers.gateway import HttpGateway

        return HttpGateway(self._client, self._address("gateway"))

    def _address(self, actor: Actor) -> str:
        addresses: Mapping[Actor, str | None] = {
            "metadata": self._settings.metadata.url,
            "gateway": self._settings.gateway.url,
            "operator": self._settings.operator.url,
            "marketplace": None,
        }
        address = addresses[actor]
        if address is None:
            raise InsituError("SettingsInvalid", f"the {actor} runs in another process: set {actor}.url to its address")
        return address

    def _stranger_client(self) -> "Http":
        """Return a client for URLs that anybody can register on chain: it reaches public addresses only."""
        from insitu.adapters.sources.guarded import GuardedTransport
        from insitu.sdk.http import Http

        return self._close_at_end(Http(timeout=10, transport=GuardedTransport(targets(self._settings))))

    @cached_property
    def _client(self) -> "Http":
        from insitu.sdk.http import Http

        return self._close_at_end(Http())

    def _close_at_end(self, http: "Http") -> "Http":
        self._stack.push_async_callback(http.close)
        return http
