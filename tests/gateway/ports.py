"""A bundle of ports for one service of the gateway that uses few of them."""

from typing import Any

from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.ports import GatewayPorts

__all__ = ["ports_with"]

PORTS = ("chain", "signer", "metadata", "agreements", "blobs", "sources", "clock", "containers", "image_contents")


def ports_with(configuration: GatewayConfiguration, **ports: Any) -> GatewayPorts:
    """Return a bundle with these ports only; a service that uses another one fails."""
    absent: dict[str, Any] = dict.fromkeys(PORTS)
    return GatewayPorts(configuration=configuration, **{**absent, **ports})
