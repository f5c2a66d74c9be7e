"""What every service of the gateway works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from insitu.domain.ids import Address
from insitu.domain.image_contents import ImageContents
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.wakeups import Wakeups
from insitu.ports.agreements import Agreements
from insitu.ports.blobs import Blobs
from insitu.ports.chain import Chain
from insitu.ports.clock import Clock
from insitu.ports.keys import Signer
from insitu.ports.peers import MetadataPeer
from insitu.ports.sources import Sources
from insitu.sdk.resolving import Resolver

OfferedContainers = Callable[[], Awaitable[tuple[dict[str, JsonValue], ...]]]
"""Returns the images that publishers may choose now, in the form of ``supportedContainers``."""

KnownContents = Callable[[], Awaitable[dict[str, ImageContents]]]
"""Returns what is in the images of this machine, by digest."""


@dataclass(frozen=True, kw_only=True)
class GatewayPorts:
    """The gateway's neighbours except the operator, its configuration, and what follows from them.

    A service takes this bundle and the other services that it calls, by keyword.
    """

    configuration: GatewayConfiguration
    chain: Chain
    signer: Signer
    metadata: MetadataPeer
    agreements: Agreements
    blobs: Blobs
    sources: Sources
    clock: Clock
    containers: OfferedContainers
    image_contents: KnownContents

    @property
    def provider(self) -> Address:
        """The provider's account."""
        return self.signer.address

    @cached_property
    def resolver(self) -> Resolver:
        """Reads documents and proves them; what it proved is remembered."""
        return Resolver(self.chain, self.metadata, self.agreements)

    @cached_property
    def wakeups(self) -> Wakeups:
        """The bells that the gateway's workers ring for each other."""
        return Wakeups(self.clock)
